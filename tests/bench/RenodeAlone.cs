// Renode's own speed, as a measuring stick: no guard, no marker, nothing recorded.
namespace McuHarnessBench
{
    using System;
    using System.Diagnostics;
    using System.IO;
    using System.Linq;
    using System.Reflection;
    using System.Runtime.InteropServices;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Time;
    using Antmicro.Renode.Utilities;
    using Antmicro.Renode.Utilities.Binding;

    public static class Bench
    {
        /// <summary>
        /// Run `instructions` of the image in the current machine; writes the seconds that it took, by the clock and of a processor.
        /// With `hook` 1, with a block hook that does nothing; with 2, with two instructions of machine code at each block: no way
        /// that Renode has of telling of blocks can cost less.
        /// </summary>
        public static void MeasureMcuHarness(
            this Emulation emulation, uint hook, string image, uint address, uint vectors, uint instructions, string result)
        {
            var machine = emulation.Machines.Single();
            var core = machine.SystemBus.GetCPUs().OfType<CortexM>().First();
            machine.SystemBus.WriteBytes(File.ReadAllBytes(image), address);
            core.VectorTableOffset = vectors;
            core.SP = machine.SystemBus.ReadDoubleWord(vectors);
            core.PC = machine.SystemBus.ReadDoubleWord(vectors + 4);
            if(hook == 1)
            {
                core.SetHookAtBlockEnd(delegate {});
            }
            if(hook == 2)
            {
                core.SetHookAtBlockBegin(delegate {});
                ReturnAtOnce(core);
            }
            core.PerformanceInMips = 100;
            emulation.MasterTimeSource.AdvanceImmediately = true;
            emulation.MasterTimeSource.Quantum = TimeInterval.FromSeconds(1);
            machine.LocalTimeSource.AdvanceImmediately = true;
            machine.LocalTimeSource.Quantum = TimeInterval.FromSeconds(1);
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            var watch = Stopwatch.StartNew();
            emulation.RunFor(TimeInterval.FromMicroseconds(instructions / 100));
            var seconds = watch.Elapsed.TotalSeconds;
            var computed = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
            File.WriteAllText(result, core.ExecutedInstructions + " " + seconds.ToString("R") + " " + computed.ToString("R"));
        }

        /// <summary>Have the translator call `mov eax, 1; ret` (x86-64) at each block.</summary>
        private static void ReturnAtOnce(CortexM core)
        {
            Func<Type, FieldInfo[]> fields = type => type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic);
            var binder = fields(typeof(TranslationCPU)).Single(x => x.FieldType == typeof(NativeBinder)).GetValue(core);
            var library = (IntPtr)fields(typeof(NativeBinder)).Single(x => x.FieldType == typeof(IntPtr)).GetValue(binder);
            var code = new byte[] { 0xB8, 1, 0, 0, 0, 0xC3 };
            var page = mmap(IntPtr.Zero, new UIntPtr(4096), 3, 0x22, -1, IntPtr.Zero);
            Marshal.Copy(code, 0, page, code.Length);
            mprotect(page, new UIntPtr(4096), 5);
            var attach = SharedLibraries.GetSymbolAddress(library, "renode_external_attach__FuncUInt32UInt64UInt32__OnBlockBegin");
            ((Attach)Marshal.GetDelegateForFunctionPointer(attach, typeof(Attach)))(page);
        }

        [DllImport("libc")]
        private static extern IntPtr mmap(IntPtr address, UIntPtr size, int access, int flags, int file, IntPtr offset);

        [DllImport("libc")]
        private static extern int mprotect(IntPtr address, UIntPtr size, int access);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void Attach(IntPtr begin);
    }
}
