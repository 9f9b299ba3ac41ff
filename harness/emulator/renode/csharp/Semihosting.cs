// What a program asks of its host with `bkpt 0xab` (Arm IHI 0042): text and the end of the program. Renode itself
// knows only text, and only with a peripheral for it.
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal static class Semihosting
    {
        /// <summary>Serve the call at which `core` stands; returns the exit status when the program is over.</summary>
        public static uint? Serve(IBusController bus, CortexM core, Action<byte> send)
        {
            var operation = core.GetRegister(0).RawValue;
            var argument = core.GetRegister(1).RawValue;
            switch(operation)
            {
            case WriteCharacter:
                send(bus.ReadByte(argument));
                break;
            case WriteText:
                for(var i = 0u; i < MostText; i++)
                {
                    var character = bus.ReadByte(argument + i);
                    if(character == 0)
                    {
                        break;
                    }
                    send(character);
                }
                break;
            case Write:
                var size = Math.Min(bus.ReadDoubleWord(argument + 8), MostText);
                foreach(var character in bus.ReadBytes(bus.ReadDoubleWord(argument + 4), (int)size))
                {
                    send(character);
                }
                break;
            case Exit:
                return argument == ApplicationExit ? 0u : 1u;
            case ExitExtended:
                var status = bus.ReadDoubleWord(argument + 4);
                return bus.ReadDoubleWord(argument) == ApplicationExit || status != 0 ? status : 1u;
            }
            return null;
        }

        /// <summary>Whether the breakpoint at which `core` stands is such a call.</summary>
        public static bool IsAsked(IBusController bus, CortexM core)
        {
            return bus.ReadWord(core.PC.RawValue & ~1UL) == Breakpoint;
        }

        private const ushort Breakpoint = 0xBEAB;
        private const ulong WriteCharacter = 3;
        private const ulong WriteText = 4;
        private const ulong Write = 5;
        private const ulong Exit = 0x18;
        private const ulong ExitExtended = 0x20;
        private const ulong ApplicationExit = 0x20026;
        private const uint MostText = 1 << 16;
    }
}
