// What stands where the board has nothing. Renode answers such accesses with 0 and a warning; silicon faults.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Core.Structure;
    using Antmicro.Renode.Peripherals;
    using Antmicro.Renode.Peripherals.Bus;
    using Range = Antmicro.Renode.Core.Range;

    internal sealed class Guard : IBytePeripheral, IWordPeripheral, IDoubleWordPeripheral, IQuadWordPeripheral
    {
        /// <summary>Put guards into every gap of [start, end) in which the machine has nothing registered.</summary>
        public static IEnumerable<Guard> Fill(Machine machine, ulong start, ulong end)
        {
            var taken = machine.SystemBus.GetRegisteredPeripherals()
                .Select(x => x.RegistrationPoint.Range)
                .Where(x => x.StartAddress < end && x.EndAddress >= start)
                .OrderBy(x => x.StartAddress).ToList();
            var guards = new List<Guard>();
            foreach(var range in taken)
            {
                Add(machine, guards, start, range.StartAddress);
                start = Math.Max(start, range.EndAddress + 1);
            }
            Add(machine, guards, start, end);
            return guards;
        }

        /// <summary>Called with the address, whether it was a write, and the width in bytes.</summary>
        public Action<ulong, bool, int> Touched;

        public void Reset() {}

        public byte ReadByte(long offset) { return (byte)Report(offset, false, 1); }

        public void WriteByte(long offset, byte value) { Report(offset, true, 1); }

        public ushort ReadWord(long offset) { return (ushort)Report(offset, false, 2); }

        public void WriteWord(long offset, ushort value) { Report(offset, true, 2); }

        public uint ReadDoubleWord(long offset) { return Report(offset, false, 4); }

        public void WriteDoubleWord(long offset, uint value) { Report(offset, true, 4); }

        public ulong ReadQuadWord(long offset) { return Report(offset, false, 8); }

        public void WriteQuadWord(long offset, ulong value) { Report(offset, true, 8); }

        private Guard(ulong start) { this.start = start; }

        private static void Add(Machine machine, List<Guard> guards, ulong start, ulong end)
        {
            if(start >= end)
            {
                return;
            }
            var guard = new Guard(start);
            machine.SystemBus.Register(guard, new BusRangeRegistration(start, end - start));
            guards.Add(guard);
        }

        private uint Report(long offset, bool write, int width)
        {
            if(Touched != null)
            {
                Touched(start + (ulong)offset, write, width);
            }
            return 0;
        }

        private readonly ulong start;
    }
}
