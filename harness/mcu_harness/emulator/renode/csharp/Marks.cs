// Addresses at which the core is stopped for a moment, before the instruction there.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Marks
    {
        /// <summary>`reached(address)` is called on arrival at one of them.</summary>
        public Marks(CortexM core, Action<ulong> reached)
        {
            hook = new AddressHook(core, reached);
        }

        /// <summary>
        /// From now on these are the addresses; only before the start, or on arrival: elsewhere Renode takes notice of
        /// new ones much later unless told (`ActivateNewHooks`). Every further mark slows down the code around it, so only those are set that
        /// can mean something now; they are the ones at which the embedded emulator stops too.
        /// </summary>
        public void Set(IEnumerable<ulong> addresses)
        {
            var wanted = new HashSet<ulong>(addresses);
            foreach(var address in set.Where(x => !wanted.Contains(x)).ToList())
            {
                hook.Remove(address);
                set.Remove(address);
            }
            foreach(var address in wanted)
            {
                if(set.Add(address))
                {
                    hook.Add(address);
                }
            }
        }

        private readonly AddressHook hook;
        private readonly HashSet<ulong> set = new HashSet<ulong>();
    }
}
