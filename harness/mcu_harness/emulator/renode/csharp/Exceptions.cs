// Exceptions that the core takes and returns from, told to the harness among the executed blocks: it follows calls there, and
// what an exception interrupts is known by the stack pointer.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Exceptions
    {
        public Exceptions(CoreBus bus, CortexM core, BlockStream blocks)
        {
            this.bus = bus;
            this.core = core;
            this.blocks = blocks;
        }

        /// <summary>Returns to other code than was interrupted, so far.</summary>
        public int Switches { get; private set; }

        /// <summary>Exceptions that were taken, so far.</summary>
        public int Taken { get; private set; }

        /// <summary>Which task runs, or was interrupted: a number for each stack that a handler ever returned to, as in recorder/exceptions.py.</summary>
        public int Task { get; private set; }

        /// <summary>Called when another stack may be in use from the next instruction on, with whether it is the process stack.</summary>
        public Action<bool> Switched = delegate {};

        /// <summary>To be called before the core pushes its registers.</summary>
        public void Enter()
        {
            Taken++;
            interrupted.Push(new KeyValuePair<ulong, ulong>(core.PC.RawValue & ~1UL, core.SP.RawValue));
            suspended[core.SP.RawValue] = new KeyValuePair<ulong, int>(core.PC.RawValue & ~1UL, Task);
            Switched(false);
            blocks.Tell(ExceptionFrame.HasFloats(core) ? Event.EnterWithFloats : Event.Enter, core.PC.RawValue & ~1UL, core.SP.RawValue);
        }

        /// <summary>To be called before the core pops its registers, with the program counter at what says where to.</summary>
        public void Leave()
        {
            var frame = ExceptionFrame.Popped(core);
            if(bus.FindMemory(frame) == null)
            {
                return; // an end of its own
            }
            var status = bus.ReadDoubleWord(frame + StackedStatus);
            var stack = frame + ExceptionFrame.SizePopped(core) + ((status & Aligned) != 0 ? 4u : 0u);
            var next = bus.ReadDoubleWord(frame + StackedProgramCounter) & ~1u;
            var before = interrupted.Count > 0 ? interrupted.Pop() : new KeyValuePair<ulong, ulong>(0, 0);
            Switches += before.Key == next && before.Value == stack ? 0 : 1;
            blocks.Tell(Event.Leave, next, stack);
            KeyValuePair<ulong, int> position;
            var isKnown = suspended.TryGetValue(stack, out position) && Math.Abs((long)next - (long)position.Key) <= SamePlace;
            suspended.Remove(stack);
            Task = isKnown ? position.Value : ++tasks;
            Switched((core.PC.RawValue & ExceptionFrame.ToProcessStack) != 0);
        }

        // Armv7-M Architecture Reference Manual (DDI 0403), B1.5.6 and B1.5.8.
        private const uint Aligned = 1 << 9;
        private const ulong StackedProgramCounter = 0x18;
        private const ulong StackedStatus = 0x1C;
        private readonly CoreBus bus;
        private readonly CortexM core;
        private readonly BlockStream blocks;
        // As in recorder/exceptions.py.
        private const long SamePlace = 4;
        private readonly Dictionary<ulong, KeyValuePair<ulong, int>> suspended = new Dictionary<ulong, KeyValuePair<ulong, int>>();
        private int tasks;
        private readonly Stack<KeyValuePair<ulong, ulong>> interrupted = new Stack<KeyValuePair<ulong, ulong>>();
    }
}
