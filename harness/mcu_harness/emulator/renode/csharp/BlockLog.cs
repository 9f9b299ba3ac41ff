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
        /// asked for (`Ask`), and at code outside of `known` until it is `Knows`; where a call may be off its stack (`Watch`); at other blocks
        /// too, which means nothing.
        /// </summary>
        public BlockLog(CortexM core, Area known, Action<ulong, uint> reached)
        {
            this.core = core;
            this.reached = reached;
            state[First] = known.Address;
            state[Size] = (ulong)known.Size;
            state[Limit] = Most;
            Ignore();
            pointerAt = FindStackPointer(core);
            state[Pointer] = (ulong)(pointerAt ?? nowhere).ToInt64();
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

        /// <summary>Whether the stack pointer can be seen at each block.</summary>
        public bool SeesPointer { get { return pointerAt.HasValue; } }

        /// <summary>The stack pointer, where it can be seen.</summary>
        public uint StackPointer { get { return Word(pointerAt.Value); } }

        /// <summary>
        /// Have blocks reached that begin with the stack pointer above `pointer`, up to `end`, or that begin in `caller`, but not
        /// at its first instruction.
        /// </summary>
        public void Watch(ulong pointer, ulong end, Area caller)
        {
            if(!SeesPointer)
            {
                return;
            }
            state[AboveFrom] = pointer + 1;
            state[Above] = end > pointer ? end - pointer : 0;
            state[CallerFrom] = caller.Address + 1;
            state[Caller] = caller.Size > 0 ? (ulong)caller.Size - 1 : 0;
        }

        /// <summary>No longer.</summary>
        public void Ignore() { state[Above] = state[Caller] = 0; }

        private bool MayLeave(ulong address)
        {
            return unchecked(Word(new IntPtr((long)state[Pointer])) - (uint)state[AboveFrom]) < (uint)state[Above]
                || unchecked((uint)(address - state[CallerFrom])) < (uint)state[Caller];
        }

        /// <summary>
        /// Where the translator keeps the core's stack pointer: its registers lie in a row at the beginning of its state, and are known by values
        /// that are put into them. Null where that is not so.
        /// </summary>
        private static IntPtr? FindStackPointer(CortexM core)
        {
            var before = Enumerable.Range(0, Marked).Select(x => core.GetRegister(x)).ToList();
            try
            {
                var library = Library(core);
                var exported = SharedLibraries.GetSymbolAddress(library, Exporter);
                var start = ((Export)Marshal.GetDelegateForFunctionPointer(exported, typeof(Export)))();
                for(var i = 0; i < Marked; i++)
                {
                    core.SetRegister(i, Mark + (uint)i);
                }
                for(var at = start; at.ToInt64() < start.ToInt64() + MostBefore; at += sizeof(uint))
                {
                    if(Enumerable.Range(0, Marked).All(x => Word(at + x * sizeof(uint)) == Mark + (uint)x))
                    {
                        return at + StackRegister * sizeof(uint);
                    }
                }
            }
            catch(Exception)
            {
                // Another Renode.
            }
            finally
            {
                for(var i = 0; i < Marked; i++)
                {
                    core.SetRegister(i, before[i]);
                }
            }
            return null;
        }

        private static uint Word(IntPtr address) { return unchecked((uint)Marshal.ReadInt32(address)); }

        private static IntPtr Library(CortexM core)
        {
            var binder = Field(x => x.FieldType == typeof(NativeBinder)).GetValue(core);
            return (IntPtr)typeof(NativeBinder)
                .GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(x => x.FieldType == typeof(IntPtr)).GetValue(binder);
        }

        /// <summary>Have the translator call what makes entries, and that call Renode's hook.</summary>
        private void Filter()
        {
            var library = Library(core);
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
            var isMore = state[Next] >= state[Limit] || IsOther(address, instructions) || MayLeave(address);
            return isMore ? Guarded(address, instructions) : 1;
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
                if(state[Next] < state[Limit] && !IsOther(address, instructions) && !MayLeave(address))
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

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr Export();

        // The translator's own names: of the place of this callback (renode_callbacks.c), of the number of instructions, and of the core's state.
        private const string Attacher = "renode_external_attach__FuncUInt32UInt64UInt32__OnBlockBegin";
        private const string Counter = "tlib_get_total_executed_instructions";
        private const string Exporter = "tlib_export_state";

        // Registers that are marked, and with what; within how many bytes they are looked for.
        private const int Marked = 13;
        private const int StackRegister = 13;
        private const uint Mark = 0x5A17C0DE;
        private const long MostBefore = 64;

        private const int BytesOfKind = 4;
        private const int BytesOfEntry = 8;
        private const int Entries = 1 << 15;
        private const int Spare = 8;
        private const int Others = 1 << 14;

        // What `state` holds, also for the machine code: where the next entry goes and from where on Renode's hook is called after it, the
        // known code, `others`, and what to call; then where the stack pointer is, and what `Watch` was told.
        private const int Next = 0;
        private const int Limit = 1;
        private const int First = 2;
        private const int Size = 3;
        private const int OtherCode = 4;
        private const int Getter = 5;
        private const int Hook = 6;
        private const int Pointer = 7;
        private const int AboveFrom = 8;
        private const int Above = 9;
        private const int CallerFrom = 10;
        private const int Caller = 11;

        // Pinned, and for ever: one core is recorded at a time. A buffer comes to be used again when it was sent long ago.
        private static readonly byte[][] buffers =
            Enumerable.Range(0, Channel.MostWaiting + 4).Select(x => new byte[BytesOfKind + Entries * BytesOfEntry]).ToArray();
        private static readonly IntPtr[] places = buffers.Select(Pin).ToArray();
        private static int current;
        private static readonly ulong[] others = new ulong[Others];
        private static readonly ulong[] state = new ulong[] { 0, 0, 0, 0, (ulong)Pin(others).ToInt64(), 0, 0, 0, 0, 0, 0, 0 };
        private static readonly IntPtr stateAt = Pin(state);
        private static readonly IntPtr nowhere = Pin(new uint[] { 0 });

        // The translator does not keep them alive.
        private static Begin guarded;
        private static Begin called;

        private readonly CortexM core;
        private readonly Action<ulong, uint> reached;
        private readonly bool isFiltered;
        private readonly IntPtr? pointerAt;
        private IntPtr count;
        private Count counted;
        private Begin hook;
        private Action<uint> present;
    }
}
