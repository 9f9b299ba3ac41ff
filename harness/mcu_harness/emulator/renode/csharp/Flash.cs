// Programs cannot simply write to flash; in Renode they can. Watching every write is slow, so what was written is
// found by comparing afterwards, and the run is repeated with a watch when there was something.
namespace McuHarness
{
    using System.Collections.Generic;
    using Antmicro.Renode.Logging.Profiling;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Flash
    {
        /// <summary>Remember what is in `areas` now.</summary>
        public Flash(CoreBus bus, List<Area> areas)
        {
            this.bus = bus;
            this.areas = areas;
            foreach(var area in areas)
            {
                before.Add(bus.ReadBytes(area.Address, area.Size));
            }
        }

        /// <summary>Whether anything in there is different now.</summary>
        public bool IsChanged()
        {
            for(var i = 0; i < areas.Count; i++)
            {
                var now = bus.ReadBytes(areas[i].Address, areas[i].Size);
                for(var j = 0; j < now.Length; j++)
                {
                    if(now[j] != before[i][j])
                    {
                        return true;
                    }
                }
            }
            return false;
        }

        /// <summary>Call `written(pc, address, bytes)` on every write to flash; 0 bytes are not known. Slows the core down by a factor of ten or more.</summary>
        public void Watch(CortexM core, System.Action<ulong, ulong, uint> written)
        {
            // The hook knows the program counter of the block's start only: let every block be one instruction.
            core.MaximumBlockSize = 1;
            AccessHook.Set(core, (pc, operation, address, physical, bytes) =>
            {
                if(operation == MemoryOperation.MemoryWrite && Holds(physical))
                {
                    written(pc, address, bytes);
                }
            });
        }

        private bool Holds(ulong address)
        {
            foreach(var area in areas)
            {
                if(address >= area.Address && address < area.Address + (ulong)area.Size)
                {
                    return true;
                }
            }
            return false;
        }

        private readonly CoreBus bus;
        private readonly List<Area> areas;
        private readonly List<byte[]> before = new List<byte[]>();
    }
}
