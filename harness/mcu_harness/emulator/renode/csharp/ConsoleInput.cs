// What the program can read from its console, or from another UART.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Peripherals.UART;
    using Antmicro.Renode.Time;
    using Range = Antmicro.Renode.Core.Range;

    internal sealed class ConsoleInput
    {
        /// <summary>
        /// For the console of `platform`, which the program reads at the `register`; null where that is not known, or nothing is sent.
        /// </summary>
        public ConsoleInput(Platform platform, ulong? register) : this(platform, platform.Console, register) {}

        /// <summary>For a UART; null where the platform has none.</summary>
        public ConsoleInput(Platform platform, IUART uart, ulong? register)
        {
            machine = platform.Machine;
            core = platform.Core;
            if(uart != null && register.HasValue)
            {
                this.uart = uart;
                WatchReads(machine.SystemBus, register.Value);
            }
        }

        /// <summary>Called when the program has read a byte.</summary>
        public Action Taken = delegate {};

        /// <summary>Whether there is something for the program to read.</summary>
        public bool Waiting { get { return unread.Count > 0; } }

        public byte[] Unread { get { return unread.ToArray(); } }

        /// <summary>From now on the program can read `data`, too.</summary>
        public void Add(IEnumerable<byte> data)
        {
            foreach(var value in data)
            {
                unread.Enqueue(value);
            }
            Offer();
        }

        /// <summary>The next byte for the program, 0 when there is none.</summary>
        public byte Take()
        {
            var taken = unread.Count > 0 ? unread.Dequeue() : (byte)0;
            Taken();
            return taken;
        }

        /// <summary>
        /// One byte at a time lies in the UART: that it was read is known by the program having looked, in no other way
        /// that all UARTs have.
        /// </summary>
        private void Offer()
        {
            if(uart == null || offered || unread.Count == 0)
            {
                return;
            }
            offered = true;
            uart.WriteChar(unread.Peek());
        }

        private void OnRead()
        {
            if(!offered)
            {
                return;
            }
            offered = false;
            Take();
            if((core.XProgramStatusRegister & ExceptionNumber) == 0)
            {
                Offer();
                return;
            }
            // A program that is interrupted by what it receives gets something else done until the next byte.
            var apart = TimeInterval.FromMicroseconds(InstructionsApart / core.PerformanceInMips + 1);
            machine.ScheduleAction(apart, x => Offer(), "next byte");
        }

        private void WatchReads(IBusController bus, ulong input)
        {
            var place = bus.GetRegisteredPeripherals().FirstOrDefault(
                x => x.RegistrationPoint.Range.Contains(input) && x.Peripheral is IUART);
            if(place == null)
            {
                return;
            }
            var at = input - place.RegistrationPoint.Range.StartAddress;
            var register = new Range(at, 1);
            bus.SetHookAfterPeripheralRead<byte>(place.Peripheral, (x, offset) => { OnRead(); return x; }, register);
            bus.SetHookAfterPeripheralRead<ushort>(place.Peripheral, (x, offset) => { OnRead(); return x; }, register);
            bus.SetHookAfterPeripheralRead<uint>(place.Peripheral, (x, offset) => { OnRead(); return x; }, register);
        }

        private const uint ExceptionNumber = 0x1FF;
        private const ulong InstructionsApart = 1000;
        private readonly IMachine machine;
        private readonly CortexM core;
        private readonly IUART uart;
        private readonly Queue<byte> unread = new Queue<byte>();
        private bool offered;
    }
}
