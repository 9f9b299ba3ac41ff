// A program that is over may still be interrupted for ever, by its own timer for example: when main, or whatever has gone
// wrong, does nothing any more but wait for interrupts that nobody is interested in. The same rules as in the embedded
// emulator (harness/mcu_harness/emulator/unicorn/emulator.py).
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Sleeps
    {
        public Sleeps(
            CortexM core, CoreBus bus, Plan plan, MainWatch main, Windows windows, Dialogue dialogue,
            Exceptions exceptions)
        {
            this.core = core;
            this.bus = bus;
            this.plan = plan;
            this.main = main;
            this.windows = windows;
            this.dialogue = dialogue;
            this.exceptions = exceptions;
        }

        /// <summary>
        /// Call `inVain(pc, interrupted)` when nothing is to be expected any more; `interrupted` is whether interrupts came.
        /// </summary>
        public void Watch(Action<ulong, bool> inVain)
        {
            core.AddHookAtWfiStateChange(asleep =>
            {
                var pc = core.PC.RawValue & ~1UL;
                if(!asleep || dialogue.Step != null)
                {
                    return;
                }
                var loops = Loops(pc);
                if(loops ? !InterruptsMatter : WaitsInVain(pc))
                {
                    inVain(pc, !loops);
                }
            });
        }

        /// <summary>Whether interrupts may still bring what the run is for, when the program is in an endless loop.</summary>
        private bool InterruptsMatter
        {
            get
            {
                var endsElsewhere = plan.StopAfter.HasValue || plan.Stops.Count > 0;
                return windows.Awaited || (endsElsewhere && !main.Returned.HasValue);
            }
        }

        /// <summary>Whether there is a branch to itself, which Renode takes for a wait.</summary>
        private bool Loops(ulong pc) { return Code(pc) == BranchToItself; }

        private bool WaitsInVain(ulong pc)
        {
            var stack = core.SP.RawValue;
            var others = exceptions == null ? 0 : exceptions.Switches;
            if(pc != last || stack != lastStack || others != switches)
            {
                last = pc;
                lastStack = stack;
                switches = others;
                repeats = 0;
                since = Now;
            }
            repeats++;
            var before = Code(pc - 2);
            if(repeats <= MostSleeps || (before != WaitForInterrupt && before != WaitForEvent))
            {
                return false;
            }
            var isLong = exceptions != null && !plan.StopAfter.HasValue && Now - since > SecondsAsleep;
            return main.Returned.HasValue || main.Holds(pc) || isLong;
        }

        /// <summary>The virtual time in seconds.</summary>
        private static double Now
        {
            get { return EmulationManager.Instance.CurrentEmulation.MasterTimeSource.ElapsedVirtualTime.TotalSeconds; }
        }

        private ushort Code(ulong pc) { return bus.FindMemory(pc) == null ? (ushort)0 : bus.ReadWord(pc); }

        private const ushort BranchToItself = 0xE7FE;
        private const ushort WaitForInterrupt = 0xBF30;
        private const ushort WaitForEvent = 0xBF20;
        // One after the other, at one place: beyond that it only waits, and beyond so many seconds where it is not main.
        private const int MostSleeps = 10 * 1000;
        private const double SecondsAsleep = 30;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly Plan plan;
        private readonly MainWatch main;
        private readonly Windows windows;
        private readonly Dialogue dialogue;
        private readonly Exceptions exceptions;
        private ulong last;
        private ulong lastStack;
        private int switches;
        private int repeats;
        private double since;
    }
}
