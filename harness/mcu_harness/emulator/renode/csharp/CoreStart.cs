// A core just after reset, and what its registers are at any time.
namespace McuHarness
{
    using System.Linq;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    /// <summary>What a program starts with: its stack pointer and first instruction.</summary>
    internal struct CoreStart
    {
        public CoreStart(Plan plan, CoreBus bus)
        {
            this = new CoreStart(plan.Vectors, bus);
            if(plan.Start.HasValue)
            {
                Stack = plan.Start.Value.Key;
                First = plan.Start.Value.Value | 1;
            }
        }

        /// <summary>As the vector table says.</summary>
        public CoreStart(uint vectors, CoreBus bus)
        {
            Stack = bus.ReadDoubleWord(vectors);
            First = bus.ReadDoubleWord(vectors + 4);
        }

        public readonly uint Stack;
        public readonly uint First;

        /// <summary>Whether there is anything to start.</summary>
        public bool IsThere { get { return Stack != 0 && (First & 1) != 0; } }

        /// <summary>Have the core stand there.</summary>
        public void Put(CortexM core)
        {
            core.SP = Stack & ~3u;
            core.SetRegister(LinkRegister, uint.MaxValue);
            core.PC = First;
        }

        private const int LinkRegister = 14;
    }

    internal static class CoreRegisters
    {
        /// <summary>Add them to an answer, in the order of protocol.py, as they are when the core stands at `pc`.</summary>
        public static Answer Registers(this Answer answer, CortexM core, CoreBus bus, ulong pc)
        {
            foreach(var register in Enumerable.Range(0, 15).Select(x => (uint)core.GetRegister(x).RawValue))
            {
                answer.Word(register);
            }
            return answer.Word((uint)pc).Word(core.XProgramStatusRegister).Word(core.FaultStatus).Word(core.MemoryFaultAddress)
                .Word((uint)core.PRIMASK.RawValue).Word((uint)core.FAULTMASK.RawValue)
                .Word(bus.ReadDoubleWord(SystemHandlerControl));
        }

        private const ulong SystemHandlerControl = 0xE000ED24;
    }
}
