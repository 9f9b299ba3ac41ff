// Exceptions that cannot be taken or left: silicon makes faults of them, Renode goes on. Asked before the core does anything.
namespace McuHarness
{
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class ExceptionFaults
    {
        public ExceptionFaults(CoreBus bus, CortexM core)
        {
            this.bus = bus;
            this.core = core;
        }

        /// <summary>Where the frame of the exception that is being taken would lie, null when there is memory for it.</summary>
        public ulong? NoStackToEnter()
        {
            var size = ExceptionFrame.SizePushed(core);
            var frame = unchecked((uint)(core.SP.RawValue - size)) & ~7u;
            return IsMemory(frame, size) ? (ulong?)null : frame;
        }

        /// <summary>Where the frame lies that the exception under way returns with, null when there is memory.</summary>
        public ulong? NoStackToLeave()
        {
            var frame = ExceptionFrame.Popped(core);
            return IsMemory(frame, ExceptionFrame.SizePopped(core)) ? (ulong?)null : frame;
        }

        /// <summary>The number of the exception that comes next, 0 where this Renode does not tell.</summary>
        public uint Next
        {
            get
            {
                var told = bus.ReadDoubleWord(InterruptControl) >> PendingShift & Number; // 0 up to 1.15
                return told != 0 ? told : RenodeApi.NextException(bus.WhatPeripheralIsAt(InterruptControl));
            }
        }

        /// <summary>The number of the exception under way, 0 in a thread.</summary>
        public uint Current { get { return core.XProgramStatusRegister & Number; } }

        /// <summary>Whether a supervisor call cannot be taken at once: it is masked, or in a handler of as high a priority.</summary>
        public bool SupervisorCallMustWait()
        {
            if(core.PRIMASK.RawValue != 0 || core.FAULTMASK.RawValue != 0)
            {
                return true;
            }
            var own = Group(Priority(SupervisorCall));
            var mask = core.BasePri.RawValue;
            var current = Current;
            return (mask != 0 && Group((uint)mask) <= own)
                || (current != 0 && (current <= HardFault || Group(Priority(current)) <= own));
        }

        private bool IsMemory(ulong address, ulong size)
        {
            return bus.FindMemory(address) != null && bus.FindMemory(address + size - 1) != null;
        }

        /// <summary>The priority of an exception that has one of its own.</summary>
        private uint Priority(uint number)
        {
            var place = number < FirstInterrupt ? SystemPriorities + number - FirstWithPriority
                : InterruptPriorities + number - FirstInterrupt;
            return bus.ReadDoubleWord(place & ~3UL) >> (int)(8 * (place & 3)) & 0xFF;
        }

        /// <summary>The part of a priority by which exceptions interrupt each other.</summary>
        private uint Group(uint priority)
        {
            return priority >> (int)((bus.ReadDoubleWord(ResetControl) >> GroupShift & 7) + 1);
        }

        // Armv7-M Architecture Reference Manual (DDI 0403), B1.4.4, B1.5.4, B1.5.6, B1.5.8 and B3.2.
        private const uint HardFault = 3;
        private const uint FirstWithPriority = 4;
        private const uint SupervisorCall = 11;
        private const uint FirstInterrupt = 16;
        private const uint Number = 0x1FF;
        private const ulong InterruptControl = 0xE000ED04;
        private const int PendingShift = 12;
        private const ulong ResetControl = 0xE000ED0C;
        private const int GroupShift = 8;
        private const ulong SystemPriorities = 0xE000ED18;
        private const ulong InterruptPriorities = 0xE000E400;
        private readonly CoreBus bus;
        private readonly CortexM core;
    }
}
