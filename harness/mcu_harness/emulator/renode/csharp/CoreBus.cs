// The system bus as one core sees it: what is registered for that core alone comes first, as its own NVIC in a chip of several
// cores.
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Peripherals;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Peripherals.Memory;
    using Range = Antmicro.Renode.Core.Range;

    internal sealed class CoreBus
    {
        public CoreBus(IBusController all, CortexM core)
        {
            All = all;
            this.core = core;
        }

        /// <summary>The bus itself, for what no core is asked about.</summary>
        public readonly IBusController All;

        /// <summary>Whether it is this core that accesses a peripheral now; true where nobody does.</summary>
        public bool IsAccessing
        {
            get
            {
                ICPU accessing;
                return !All.TryGetCurrentCPU(out accessing) || accessing == core;
            }
        }

        public byte ReadByte(ulong address) { return All.ReadByte(address, core); }

        public ushort ReadWord(ulong address) { return All.ReadWord(address, core); }

        public uint ReadDoubleWord(ulong address) { return All.ReadDoubleWord(address, core); }

        public byte[] ReadBytes(ulong address, int count) { return All.ReadBytes(address, count, context: core); }

        public void WriteByte(ulong address, byte value) { All.WriteByte(address, value, core); }

        public void WriteWord(ulong address, ushort value) { All.WriteWord(address, value, core); }

        public void WriteDoubleWord(ulong address, uint value) { All.WriteDoubleWord(address, value, core); }

        public void WriteBytes(byte[] bytes, ulong address) { All.WriteBytes(bytes, address, context: core); }

        public IBusRegistered<MappedMemory> FindMemory(ulong address) { return All.FindMemory(address, core); }

        public IPeripheral WhatPeripheralIsAt(ulong address) { return All.WhatPeripheralIsAt(address, core); }

        /// <summary>Have `hook` decide what the core's writes put into the registers at [address, address + 4) of whatever is there.</summary>
        public void HookWrites(ulong address, Func<uint, long, uint> hook)
        {
            var there = WhatPeripheralIsAt(address) as IBusPeripheral;
            if(there != null)
            {
                All.SetHookBeforePeripheralWrite<uint>(there, hook, new Range(address & 0xFFF, 4));
            }
        }

        private readonly CortexM core;
    }
}
