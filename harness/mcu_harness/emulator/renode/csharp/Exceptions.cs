// Exceptions that the core takes and returns from, told to the harness among the executed blocks: it follows calls there, and
// what an exception interrupts is known by the stack pointer.
namespace McuHarness
{
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

        /// <summary>To be called before the core pushes its registers.</summary>
        public void Enter()
        {
            Taken++;
            interrupted.Push(new KeyValuePair<ulong, ulong>(core.PC.RawValue & ~1UL, core.SP.RawValue));
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
        }

        // Armv7-M Architecture Reference Manual (DDI 0403), B1.5.6 and B1.5.8.
        private const uint Aligned = 1 << 9;
        private const ulong StackedProgramCounter = 0x18;
        private const ulong StackedStatus = 0x1C;
        private readonly CoreBus bus;
        private readonly CortexM core;
        private readonly BlockStream blocks;
        private readonly Stack<KeyValuePair<ulong, ulong>> interrupted = new Stack<KeyValuePair<ulong, ulong>>();
    }
}
