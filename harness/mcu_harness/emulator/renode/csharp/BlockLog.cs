// The blocks that a core begins, in order: an entry is two 32-bit words, the address and the number of instructions executed
// before. How many instructions a block executed follows from the entry after it, however it was left. Nothing is asked of
// the translator at the end of a block: that would keep it from joining blocks to each other.
namespace McuHarness
{
    using System;
    using System.Linq;
    using System.Reflection;
    using System.Runtime.InteropServices;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Utilities;
    using Antmicro.Renode.Utilities.Binding;

    /// <summary>
    /// Renode's own way to a hook at each block holds the core ready to be paused in it, and costs several times what it takes to
    /// make an entry. The translator therefore calls a few instructions of machine code that make it (`MachineCode`), or else
    /// a method that does the same, and Renode's hook only at blocks at which there is more to do.
    /// </summary>
    internal sealed class BlockLog
    {
        /// <summary>
        /// `reached(address, instructions)` is called at the begin of a block, which may end the run, when the log is full (`Full`), when it was
        /// asked for (`Ask`), and at code outside of `known` until it is `Knows`; at other blocks too, which means nothing.
        /// </summary>
        public BlockLog(CortexM core, Area known, Action<ulong, uint> reached)
        {
            this.core = core;
            this.reached = reached;
            state[First] = known.Address;
            state[Size] = (ulong)known.Size;
            state[Limit] = Most;
            Array.Clear(others, 0, others.Length);
            Used = 0;
            core.SetHookAtBlockBegin(AtRenodes);
            try
            {
                Filter();
                isFiltered = true;
            }
            catch(Exception)
            {
                // Another Renode: then its own hook is called at each block.
            }
        }

        /// <summary>How many entries there are; fewer can be made of them.</summary>
        public int Used
        {
            get { return (int)((state[Next] - Start) / BytesOfEntry); }
            set { state[Next] = Start + (ulong)value * BytesOfEntry; }
        }

        /// <summary>Whether there may be no room for another entry.</summary>
        public bool Full { get { return state[Next] >= Most; } }

        /// <summary>What was thrown first where nothing may be, null if nothing.</summary>
        public Exception Failed { get; private set; }

        /// <summary>Make an entry; there is room for some even when it is `Full`.</summary>
        public void Add(uint first, uint second)
        {
            var at = new IntPtr((long)state[Next]);
            Marshal.WriteInt32(at, unchecked((int)first));
            Marshal.WriteInt32(at, sizeof(int), unchecked((int)second));
            state[Next] += BytesOfEntry;
        }

        /// <summary>Take the last entry off; returns its second word.</summary>
        public uint TakeOff()
        {
            state[Next] -= BytesOfEntry;
            return unchecked((uint)Marshal.ReadInt32(new IntPtr((long)state[Next]), sizeof(int)));
        }

        /// <summary>Send all entries, with `kind` before them, and begin anew.</summary>
        public void Send(Channel channel, char kind)
        {
            var payload = buffers[current];
            payload[0] = (byte)kind;
            var length = BytesOfKind + Used * BytesOfEntry;
            current = (current + 1) % buffers.Length;
            Used = 0;
            if(state[Limit] != 0)
            {
                state[Limit] = Most;
            }
            channel.SendRaw(payload, length);
        }

        /// <summary>Have the next block reached.</summary>
        public void Ask() { state[Limit] = 0; }

        /// <summary>Not to be told of this block outside of the known code any more.</summary>
        public void Knows(ulong address, uint instructions)
        {
            others[Place(address)] = Key(address, instructions);
        }

        /// <summary>Have the translator call what makes entries, and that call Renode's hook.</summary>
        private void Filter()
        {
            var binder = Field(x => x.FieldType == typeof(NativeBinder)).GetValue(core);
            var library = (IntPtr)typeof(NativeBinder)
                .GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(x => x.FieldType == typeof(IntPtr)).GetValue(binder);
            count = SharedLibraries.GetSymbolAddress(library, Counter);
            counted = (Count)Marshal.GetDelegateForFunctionPointer(count, typeof(Count));
            var renodes = typeof(TranslationCPU).GetMethod("OnBlockBegin", BindingFlags.Instance | BindingFlags.NonPublic);
            hook = (Begin)Delegate.CreateDelegate(typeof(Begin), core, renodes);
            NoticeHooks();
            guarded = Guarded;
            called = OnBegin;
            state[Getter] = (ulong)count.ToInt64();
            state[Hook] = (ulong)Marshal.GetFunctionPointerForDelegate(guarded).ToInt64();
            var entry = MachineCode.Place(stateAt) ?? Marshal.GetFunctionPointerForDelegate(called);
            var attach = SharedLibraries.GetSymbolAddress(library, Attacher);
            ((Attach)Marshal.GetDelegateForFunctionPointer(attach, typeof(Attach)))(entry);
        }

        /// <summary>
        /// Hooks at addresses, also those of others, are put out of action when they are reached, and back by Renode's hook
        /// at the next block: it must be called there.
        /// </summary>
        private void NoticeHooks()
        {
            var field = Field(x => x.Name == "TlibSetBlockBeginHookPresent");
            present = (Action<uint>)Delegate.CreateDelegate(typeof(Action<uint>), field.GetValue(core), "Invoke");
            var own = GetType().GetMethod("OnHooksChanged", BindingFlags.Instance | BindingFlags.NonPublic);
            field.SetValue(core, Delegate.CreateDelegate(field.FieldType, this, own));
        }

        private void OnHooksChanged(uint isPresent)
        {
            present(isPresent);
            Ask();
        }

        /// <summary>As the machine code, where there is none.</summary>
        private uint OnBegin(ulong address, uint instructions)
        {
            Add((uint)address, (uint)counted());
            return state[Next] >= state[Limit] || IsOther(address, instructions) ? Guarded(address, instructions) : 1;
        }

        /// <summary>Renode's hook; nothing that is thrown must get into the translator.</summary>
        private uint Guarded(ulong address, uint instructions)
        {
            try
            {
                return hook(address, instructions);
            }
            catch(Exception error)
            {
                Failed = Failed ?? error;
                return 1;
            }
        }

        private void AtRenodes(ulong address, uint instructions)
        {
            if(!isFiltered)
            {
                Add((uint)address, (uint)core.ExecutedInstructions);
                if(state[Next] < state[Limit] && !IsOther(address, instructions))
                {
                    return;
                }
            }
            state[Limit] = Most;
            reached(address, instructions);
        }

        private bool IsOther(ulong address, uint instructions)
        {
            return unchecked((uint)(address - state[First])) >= state[Size]
                && others[Place(address)] != Key(address, instructions);
        }

        private static int Place(ulong address) { return (int)(address >> 1) & (Others - 1); }

        private static ulong Key(ulong address, uint instructions) { return address << 32 | instructions; }

        private static FieldInfo Field(Func<FieldInfo, bool> isIt)
        {
            return typeof(TranslationCPU).GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(isIt);
        }

        private static IntPtr Pin<T>(T[] array) { return GCHandle.Alloc(array, GCHandleType.Pinned).AddrOfPinnedObject(); }

        private static ulong Start { get { return (ulong)places[current].ToInt64() + BytesOfKind; } }

        private static ulong Most { get { return Start + (Entries - Spare) * BytesOfEntry; } }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint Begin(ulong address, uint instructions);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate ulong Count();

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void Attach(IntPtr begin);

        // The translator's own names: of the place of this callback (renode_callbacks.c), and of the number of instructions.
        private const string Attacher = "renode_external_attach__FuncUInt32UInt64UInt32__OnBlockBegin";
        private const string Counter = "tlib_get_total_executed_instructions";

        private const int BytesOfKind = 4;
        private const int BytesOfEntry = 8;
        private const int Entries = 1 << 15;
        private const int Spare = 8;
        private const int Others = 1 << 14;

        // What `state` holds, also for the machine code: where the next entry goes and from where on Renode's hook is called after it, the
        // known code, `others`, and what to call.
        private const int Next = 0;
        private const int Limit = 1;
        private const int First = 2;
        private const int Size = 3;
        private const int OtherCode = 4;
        private const int Getter = 5;
        private const int Hook = 6;

        // Pinned, and for ever: one core is recorded at a time. A buffer comes to be used again when it was sent long ago.
        private static readonly byte[][] buffers =
            Enumerable.Range(0, Channel.MostWaiting + 4).Select(x => new byte[BytesOfKind + Entries * BytesOfEntry]).ToArray();
        private static readonly IntPtr[] places = buffers.Select(Pin).ToArray();
        private static int current;
        private static readonly ulong[] others = new ulong[Others];
        private static readonly ulong[] state = new ulong[] { 0, 0, 0, 0, (ulong)Pin(others).ToInt64(), 0, 0 };
        private static readonly IntPtr stateAt = Pin(state);

        // The translator does not keep them alive.
        private static Begin guarded;
        private static Begin called;

        private readonly CortexM core;
        private readonly Action<ulong, uint> reached;
        private readonly bool isFiltered;
        private IntPtr count;
        private Count counted;
        private Begin hook;
        private Action<uint> present;
    }
}
