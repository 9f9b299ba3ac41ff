// Renode's own speed, as a measuring stick: no guard, no marker, nothing recorded.
namespace McuHarnessBench
{
    using System.IO;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Time;

    public static class Bench
    {
        /// <summary>
        /// Run `instructions` of the image in the current machine; writes the seconds that it took.
        /// With `hook`, with a block hook that does nothing.
        /// </summary>
        public static void MeasureMcuHarness(
            this Emulation emulation, bool hook, string image, uint address, uint vectors, uint instructions, string result)
        {
            var machine = emulation.Machines.Single();
            var core = machine.SystemBus.GetCPUs().OfType<CortexM>().First();
            machine.SystemBus.WriteBytes(File.ReadAllBytes(image), address);
            core.VectorTableOffset = vectors;
            core.SP = machine.SystemBus.ReadDoubleWord(vectors);
            core.PC = machine.SystemBus.ReadDoubleWord(vectors + 4);
            if(hook)
            {
                core.SetHookAtBlockEnd(delegate {});
            }
            core.PerformanceInMips = 100;
            emulation.MasterTimeSource.AdvanceImmediately = true;
            emulation.MasterTimeSource.Quantum = TimeInterval.FromSeconds(1);
            machine.LocalTimeSource.AdvanceImmediately = true;
            machine.LocalTimeSource.Quantum = TimeInterval.FromSeconds(1);
            var watch = System.Diagnostics.Stopwatch.StartNew();
            emulation.RunFor(TimeInterval.FromMicroseconds(instructions / 100));
            var seconds = watch.Elapsed.TotalSeconds;
            File.WriteAllText(result, core.ExecutedInstructions + " " + seconds.ToString("R"));
        }
    }
}
