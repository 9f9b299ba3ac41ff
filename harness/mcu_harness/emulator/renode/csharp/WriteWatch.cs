// Stops the core before an instruction that changes some bytes of memory.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class WriteWatch
    {
        /// <summary>`changes()` is called where it stops, on the core's own thread.</summary>
        public WriteWatch(CortexM core, CoreBus bus, Action changes)
        {
            this.core = core;
            this.bus = bus;
            this.changes = changes;
        }

        /// <summary>The instruction that will change them, null as long as none does.</summary>
        public ulong? By { get; private set; }

        /// <summary>Watch [address, address + size), and nothing else any more; not while the core runs.</summary>
        public void Set(ulong address, ulong size)
        {
            foreach(var place in places)
            {
                bus.All.RemoveWatchpointHook(place, OnWrite);
            }
            places.Clear();
            By = null;
            start = address;
            end = address + size;
            for(var place = size == 0 ? end : address - Math.Min(address, WidestWrite - 1); place < end; place++)
            {
                bus.All.AddWatchpointHook(place, AnyWidth, Access.Write, OnWrite);
                places.Add(place);
            }
        }

        private void OnWrite(ICpuSupportingGdb cpu, ulong address, SysbusAccessWidth width, ulong value)
        {
            var written = BitConverter.GetBytes(value);
            for(var i = 0; i < (int)width; i++)
            {
                var place = address + (ulong)i;
                if(By == null && place >= start && place < end && bus.ReadByte(place) != written[i])
                {
                    By = core.PC.RawValue & ~1UL;
                    changes();
                }
            }
        }

        private const ulong WidestWrite = 8;
        private const SysbusAccessWidth AnyWidth =
            SysbusAccessWidth.Byte | SysbusAccessWidth.Word | SysbusAccessWidth.DoubleWord | SysbusAccessWidth.QuadWord;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly Action changes;
        private readonly List<ulong> places = new List<ulong>();
        private ulong start;
        private ulong end;
    }
}
