// A dialogue with the program's console: what is sent to it, and what has to come back before the next step. The same
// rules as in harness/mcu_harness/emulator/dialogue.py.
namespace McuHarness
{
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Peripherals.UART;
    using Antmicro.Renode.Time;

    internal sealed class Dialogue
    {
        /// <summary>With the console of `platform`, which the program reads at the plan's input register.</summary>
        public Dialogue(Plan plan, Platform platform)
        {
            exchanges = plan.Dialogue;
            machine = platform.Machine;
            core = platform.Core;
            if(exchanges.Count > 0 && platform.Console != null && plan.Input.HasValue)
            {
                uart = platform.Console;
                WatchInput(machine.SystemBus, plan.Input.Value);
            }
        }

        public bool IsThere { get { return exchanges.Count > 0; } }

        /// <summary>The number of the step that is under way.</summary>
        public int Number { get { return number; } }

        /// <summary>The step that is under way, null before the first and after the last.</summary>
        public Exchange Step { get { return number >= 0 && number < exchanges.Count ? exchanges[number] : null; } }

        public bool Over { get { return IsThere && number >= exchanges.Count; } }

        /// <summary>Whether the step under way is through: all of it was read, and the answer came.</summary>
        public bool Answered { get { return Step != null && unread.Count == 0 && (said || Step.Wait.Length == 0); } }

        /// <summary>Whether the program has done what may have answered the step; to be taken back by who looks.</summary>
        public bool Stirred;

        /// <summary>Whether there is something for the program to read.</summary>
        public bool Waiting { get { return unread.Count > 0; } }

        public byte[] Unread { get { return unread.ToArray(); } }

        /// <summary>Begin the next step, if there is one: from now on the program can read what it sends.</summary>
        public void NextStep()
        {
            number++;
            heard.Clear();
            said = false;
            if(Step != null)
            {
                foreach(var value in Step.Send)
                {
                    unread.Enqueue(value);
                }
            }
            Offer();
        }

        /// <summary>The program wrote `value`. What it writes before it has read everything is no answer.</summary>
        public void Hear(byte value)
        {
            if(Step == null || unread.Count > 0)
            {
                return;
            }
            heard.Add(value);
            if(heard.Count > Step.Wait.Length)
            {
                heard.RemoveAt(0);
            }
            said |= heard.SequenceEqual(Step.Wait);
            Stirred |= Answered;
        }

        /// <summary>The next byte for the program, 0 when there is none.</summary>
        public byte Take()
        {
            var taken = unread.Count > 0 ? unread.Dequeue() : (byte)0;
            Stirred |= Answered;
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

        private void WatchInput(IBusController bus, ulong input)
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
        private readonly List<Exchange> exchanges;
        private readonly IUART uart;
        private readonly Queue<byte> unread = new Queue<byte>();
        private readonly List<byte> heard = new List<byte>();
        private int number = -1;
        private bool said;
        private bool offered;
    }
}
