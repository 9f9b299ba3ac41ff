// Functions that are watched to learn something of firmware: where main returns, how the heap grows. Each watch says at
// which addresses it wants to be asked (`Exits`), and is asked there (`At`).
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using Antmicro.Renode.Peripherals.CPU;

    /// <summary>Where a call will return to: the same address with the same stack pointer.</summary>
    internal sealed class Return
    {
        /// <summary>To be made at the entry of the function.</summary>
        public Return(CortexM core)
        {
            this.core = core;
            Address = core.GetRegister(LinkRegister).RawValue & ~1UL;
            stack = core.SP.RawValue;
        }

        public readonly ulong Address;

        public bool IsHere(ulong pc) { return pc == Address && core.SP.RawValue == stack; }

        private const int LinkRegister = 14;
        private readonly CortexM core;
        private readonly ulong stack;
    }

    internal sealed class MainWatch
    {
        /// <summary>main is [entry, after); both are null without one.</summary>
        public MainWatch(CortexM core, ulong? entry, ulong? after)
        {
            this.core = core;
            this.entry = entry;
            this.after = after;
        }

        /// <summary>Whether `pc` lies in main itself.</summary>
        public bool Holds(ulong pc) { return entry.HasValue && pc >= entry.Value && pc < after.Value; }

        /// <summary>What main has returned, null as long as it has not.</summary>
        public uint? Returned { get; private set; }

        public IEnumerable<ulong> Exits
        {
            get
            {
                if(entry.HasValue && !Returned.HasValue)
                {
                    yield return end == null ? entry.Value : end.Address;
                }
            }
        }

        public void At(ulong pc)
        {
            if(end == null)
            {
                end = new Return(core);
            }
            else if(end.IsHere(pc))
            {
                Returned = (uint)core.GetRegister(0).RawValue;
            }
        }

        private readonly CortexM core;
        private readonly ulong? entry;
        private readonly ulong? after;
        private Return end;
    }

    internal sealed class HeapWatch
    {
        /// <summary>`entry` is the address of sbrk, null without one.</summary>
        public HeapWatch(CortexM core, ulong? entry)
        {
            this.core = core;
            this.entry = entry;
        }

        /// <summary>The lowest and highest end of the heap that sbrk ever returned or set, null without any.</summary>
        public KeyValuePair<uint, uint>? Extent { get; private set; }

        public IEnumerable<ulong> Exits
        {
            get
            {
                if(entry.HasValue)
                {
                    yield return end == null ? entry.Value : end.Address;
                }
            }
        }

        public void At(ulong pc)
        {
            if(end == null)
            {
                end = new Return(core);
                increment = (uint)core.GetRegister(0).RawValue;
            }
            else if(end.IsHere(pc))
            {
                end = null;
                var before = (uint)core.GetRegister(0).RawValue;
                if(before != Failed)
                {
                    var after = unchecked(before + increment);
                    var known = Extent ?? new KeyValuePair<uint, uint>(before, before);
                    Extent = new KeyValuePair<uint, uint>(
                        Math.Min(known.Key, Math.Min(before, after)), Math.Max(known.Value, Math.Max(before, after)));
                }
            }
        }

        private const uint Failed = uint.MaxValue;
        private readonly CortexM core;
        private readonly ulong? entry;
        private Return end;
        private uint increment;
    }
}
