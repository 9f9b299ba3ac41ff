// A program that is over may still be interrupted for ever, by its own timer for example: when main, or whatever has gone
// wrong, does nothing any more but wait for interrupts that nobody is interested in. The same rules as in the embedded
// emulator (harness/mcu_harness/emulator/unicorn/emulator.py).
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    internal sealed class Sleeps
    {
        public Sleeps(
            CortexM core, IBusController bus, Plan plan, MainWatch main, Windows windows, Dialogue dialogue)
        {
            this.core = core;
            this.bus = bus;
            this.plan = plan;
            this.main = main;
            this.windows = windows;
            this.dialogue = dialogue;
        }

        /// <summary>Call `inVain(pc)` when nothing is to be expected any more.</summary>
        public void Watch(Action<ulong> inVain)
        {
            core.AddHookAtWfiStateChange(asleep =>
            {
                var pc = core.PC.RawValue & ~1UL;
                if(asleep && dialogue.Step == null && (Loops(pc) ? !InterruptsMatter : WaitsInVain(pc)))
                {
                    inVain(pc);
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
            repeats = pc == last ? repeats + 1 : 1;
            last = pc;
            return repeats > MostSleeps && Code(pc - 2) == WaitForInterrupt
                && (main.Returned.HasValue || main.Holds(pc));
        }

        private ushort Code(ulong pc) { return bus.FindMemory(pc) == null ? (ushort)0 : bus.ReadWord(pc); }

        private const ushort BranchToItself = 0xE7FE;
        private const ushort WaitForInterrupt = 0xBF30;
        // One after the other, at one place in main: beyond that it only waits.
        private const int MostSleeps = 10 * 1000;
        private readonly CortexM core;
        private readonly IBusController bus;
        private readonly Plan plan;
        private readonly MainWatch main;
        private readonly Windows windows;
        private readonly Dialogue dialogue;
        private ulong last;
        private int repeats;
    }
}
