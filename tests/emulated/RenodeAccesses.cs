// What a stretch of a program reads and writes, as Renode's own hook for memory accesses sees it: an oracle for tests.
namespace McuHarnessOracle
{
    using System.Collections.Generic;
    using System.IO;
    using System.Linq;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Logging.Profiling;
    using Antmicro.Renode.Peripherals.CPU;
    using McuHarness;

    public static class Accesses
    {
        /// <summary>
        /// From each arrival at `begin` to the next at `end`, count accesses; each time `end` is reached, write what was
        /// counted so far to `result`: lines of address, reads and writes.
        /// </summary>
        public static void CountMcuHarnessAccesses(this Emulation emulation, uint begin, uint end, string result)
        {
            var core = emulation.Machines.Single().SystemBus.GetCPUs().OfType<CortexM>().First();
            var reads = new SortedDictionary<ulong, ulong>();
            var writes = new SortedDictionary<ulong, ulong>();
            var counting = false;
            AccessHook.Set(core, (pc, operation, address, physical, bytes) =>
            {
                if(!counting)
                {
                    return;
                }
                if(operation == MemoryOperation.MemoryRead || operation == MemoryOperation.MemoryIORead)
                {
                    Add(reads, address);
                }
                else if(operation == MemoryOperation.MemoryWrite || operation == MemoryOperation.MemoryIOWrite)
                {
                    Add(writes, address);
                }
            });
            new AddressHook(core, address => counting = true).Add(begin);
            new AddressHook(core, address =>
            {
                counting = false;
                File.WriteAllLines(result, reads.Keys.Union(writes.Keys).OrderBy(x => x)
                    .Select(x => x + " " + Count(reads, x) + " " + Count(writes, x)));
            }).Add(end);
        }

        private static void Add(SortedDictionary<ulong, ulong> counts, ulong address)
        {
            counts[address] = Count(counts, address) + 1;
        }

        private static ulong Count(SortedDictionary<ulong, ulong> counts, ulong address)
        {
            ulong count;
            return counts.TryGetValue(address, out count) ? count : 0;
        }
    }
}
