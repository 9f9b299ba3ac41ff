// A device that a test makes up: the harness is asked for what its registers hold.
namespace McuHarness
{
    using System;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Core.Structure;
    using Antmicro.Renode.Exceptions;
    using Antmicro.Renode.Peripherals;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.IRQControllers;
    using Antmicro.Renode.Peripherals.Memory;

    /// <summary>An access to a device: its number, the offset, how many bytes; what is written, or returns what is read.</summary>
    internal delegate uint DeviceAccess(uint device, uint offset, int bytes, bool write, uint value);

    internal sealed class LiveDevice : IBytePeripheral, IWordPeripheral, IDoubleWordPeripheral
    {
        /// <summary>Put the device `number` at [start, start + size), in place of what the platform has there.</summary>
        public static void Attach(Platform platform, uint number, ulong start, ulong size, DeviceAccess access)
        {
            var bus = platform.Machine.SystemBus;
            var end = start + size;
            var there = bus.GetRegisteredPeripherals()
                .Where(x => x.RegistrationPoint.Range.StartAddress < end && x.RegistrationPoint.Range.EndAddress >= start).ToList();
            foreach(var place in there)
            {
                if(place.Peripheral is IMemory || place.Peripheral is NVIC || place.Peripheral is Guard || place.Peripheral == platform.Console)
                {
                    throw new RecoverableException("no device can be attached there");
                }
            }
            foreach(var place in there)
            {
                bus.UnregisterFromAddress(place.RegistrationPoint.Range.StartAddress);
            }
            bus.Register(new LiveDevice(number, access), new BusRangeRegistration(start, size));
        }

        public void Reset() {}

        public byte ReadByte(long offset) { return (byte)Read(offset, 1); }

        public void WriteByte(long offset, byte value) { access(number, (uint)offset, 1, true, value); }

        public ushort ReadWord(long offset) { return (ushort)Read(offset, 2); }

        public void WriteWord(long offset, ushort value) { access(number, (uint)offset, 2, true, value); }

        public uint ReadDoubleWord(long offset) { return Read(offset, 4); }

        public void WriteDoubleWord(long offset, uint value) { access(number, (uint)offset, 4, true, value); }

        private LiveDevice(uint number, DeviceAccess access)
        {
            this.number = number;
            this.access = access;
        }

        private uint Read(long offset, int bytes) { return access(number, (uint)offset, bytes, false, 0); }

        private readonly uint number;
        private readonly DeviceAccess access;
    }
}
