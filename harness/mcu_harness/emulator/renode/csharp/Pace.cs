// How virtual time passes: in stretches, so that limits are met and a core is noticed that sleeps for ever.
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Time;

    internal sealed class Pace
    {
        /// <summary>`blocks` is null when only instructions are counted. `stopped()` says whether something has ended the run; `stop(cause, pc)` ends it.</summary>
        public Pace(Platform platform, Plan plan, BlockStream blocks, Func<bool> stopped, Action<Cause, ulong> stop)
        {
            this.platform = platform;
            this.plan = plan;
            this.blocks = blocks;
            this.stopped = stopped;
            this.stop = stop;
            core = platform.Core;
        }

        /// <summary>Go on until something has ended the run.</summary>
        public void Advance()
        {
            var emulation = EmulationManager.Instance.CurrentEmulation;
            var instructions = platform.Others.Count > 0 ? StretchOfSeveral : StretchInstructions;
            var stretch = TimeInterval.FromMicroseconds(instructions / core.PerformanceInMips + 1);
            platform.SetQuantum(stretch);
            var asleep = 0.0;
            while(!stopped())
            {
                var before = core.ExecutedInstructions;
                if(before >= plan.MaxInstructions)
                {
                    stop(Cause.InstructionLimit, core.PC);
                    break;
                }
                // Small steps would take ages to get through the time for which a core may sleep.
                var left = asleep > 0 ? ulong.MaxValue : (plan.MaxInstructions - before) / core.PerformanceInMips + 1;
                if(plan.StopAfter.HasValue && !isLimited)
                {
                    left = Math.Min(left, ToLimit(before, asleep > 0));
                }
                var isLong = left >= instructions / core.PerformanceInMips;
                var step = isLong ? stretch : TimeInterval.FromMicroseconds(left);
                emulation.RunFor(step);
                asleep = core.ExecutedInstructions == before ? asleep + step.TotalSeconds : 0.0;
                if(asleep >= (platform.Others.Count > 0 ? SecondsAsleepBesideOthers : SecondsAsleep))
                {
                    stop(Cause.Stuck, core.PC);
                }
            }
        }

        /// <summary>
        /// The microseconds to go on for before every block has to be looked at, because one of the next is the first
        /// that the plan's limit forbids; when that is `now`, or close, from now on they are.
        /// </summary>
        private ulong ToLimit(ulong executed, bool now)
        {
            var limit = plan.StopAfter.Value;
            var free = limit > executed + LookedAt ? (limit - executed - LookedAt) / core.PerformanceInMips : 0;
            if(free > 0 && !now)
            {
                return free;
            }
            isLimited = true;
            Action<ulong, uint> look = (address, instructions) =>
            {
                if(core.ExecutedInstructions + instructions > limit)
                {
                    stop(Cause.StopAfter, address & ~1UL);
                }
            };
            if(blocks == null)
            {
                core.SetHookAtBlockBegin(look);
            }
            else
            {
                blocks.Before += look;
                blocks.Before += (address, instructions) => blocks.Ask();
                blocks.Ask();
            }
            return ulong.MaxValue;
        }

        private const ulong StretchInstructions = 100 * 1000 * 1000;
        // The other cores go on to its end when the one under test has come to its own.
        private const ulong StretchOfSeveral = 1000 * 1000;
        // Virtual seconds without a single instruction after which nothing can be expected to wake the core.
        private const double SecondsAsleep = 30;
        private const double SecondsAsleepBesideOthers = 5; // others that go on take their time of the host
        // Instructions before the plan's limit from which on every block is looked at.
        private const ulong LookedAt = 20 * 1000;

        private readonly Platform platform;
        private readonly Plan plan;
        private readonly BlockStream blocks;
        private readonly Func<bool> stopped;
        private readonly Action<Cause, ulong> stop;
        private readonly CortexM core;
        private bool isLimited;
    }
}
