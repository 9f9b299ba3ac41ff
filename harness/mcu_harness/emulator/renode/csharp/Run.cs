// One run: memory is filled, the core starts from its vectors, windows open and close where the plan says, and
// whatever ends the run is reported with its cause.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using System.Threading;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;

    /// <summary>Why a run ended; the numbers are those of protocol.py.</summary>
    internal enum Cause
    {
        Exit = 0,
        Deadline = 1,
        InstructionLimit = 2,
        BadAccess = 3,
        Exception = 4,
        Abort = 5,
        Stuck = 6,
        BadVectors = 7,
        SystemReset = 8,
        FlashWrite = 9,
        WindowsDone = 10,
        StopPlace = 11,
        StopAfter = 12,
        DialogueOver = 13,
        SupervisorCall = 14,
        Stacking = 15,
        Unstacking = 16,
        OtherAborted = 17,
    }

    internal sealed class Run
    {
        public Run(Platform platform, Channel channel, Request request)
        {
            if(platform == null)
            {
                throw new InvalidOperationException("no platform");
            }
            this.platform = platform;
            this.channel = channel;
            core = platform.Core;
            bus = platform.Bus;
            plan = new Plan(request);
        }

        public void Execute()
        {
            foreach(var chunk in plan.Load)
            {
                bus.WriteBytes(chunk.Data, chunk.Address);
            }
            flash = new Flash(bus, plan.Flash);
            dialogue = new Dialogue(plan, platform);
            if(plan.Profile)
            {
                blocks = new BlockStream(bus, core, channel, plan.Code);
                exceptions = new Exceptions(bus, core, blocks);
            }
            var calls = plan.FollowsCalls ? new Calls(plan, core, channel, blocks, exceptions) : null;
            windows = new Windows(plan, bus, core, channel, blocks, calls);
            main = new MainWatch(core, plan.Main, plan.MainEnd);
            heap = new HeapWatch(core, plan.Sbrk);
            heapCourse = new HeapCourse(core, channel, plan.HeapFunctions);
            platform.Heard = dialogue.Hear;
            marks = new Marks(core, Arrive);
            if(Reset())
            {
                using(new Timer(x => Expire(), null, (int)plan.TimeoutMilliseconds, Timeout.Infinite))
                {
                    new Pace(platform, plan, blocks, () => stopped, (why, pc) => Stop(why, pc, 0, 0)).Advance();
                }
            }
            Report(true);
        }

        private bool Reset()
        {
            var start = new CoreStart(plan, bus);
            core.VectorTableOffset = plan.Vectors;
            if(!start.IsThere)
            {
                Stop(Cause.BadVectors, 0, start.Stack, start.First);
                return false;
            }
            start.Put(core);
            platform.StartOthers();
            var pc = start.First;
            Watch(new Semihosting(bus, core, plan, platform.Send, dialogue.Input, start.Stack));
            if(windows.WholeRun)
            {
                windows.Open(pc & ~1u);
            }
            BeginStep(pc & ~1u);
            marks.Set(Exits());
            return true;
        }

        private void Watch(Semihosting semihosting)
        {
            new CoreWatch(platform, exceptions, semihosting, () => stopped, Stop)
            {
                Served = ConverseAt,
                Entering = Converse,
                Returning = ReturnFromException,
                Aborted = ReportUnlessDone,
            }.Begin();
            if(plan.WatchFlash)
            {
                flash.Watch(core, (pc, address, bytes) => Stop(Cause.FlashWrite, pc, address, bytes));
            }
            WatchDialogue();
            new Sleeps(core, bus, plan, main, windows, dialogue, exceptions)
                .Watch((pc, interrupted) => Stop(Cause.Stuck, pc, interrupted ? Interrupted : 0, 0));
            if(blocks != null && !plan.StopAfter.HasValue)
            {
                new Standstill(
                    core, bus, blocks, exceptions, dialogue, platform, () => Stop(Cause.Stuck, core.PC.RawValue & ~1UL, InALoop, 0));
            }
        }

        private IEnumerable<ulong> Exits()
        {
            var ends = plan.Exit.HasValue ? plan.Stops.Concat(new[] { plan.Exit.Value }) : plan.Stops;
            return ends.Concat(windows.Exits).Concat(main.Exits).Concat(heap.Exits).Concat(heapCourse.Exits);
        }

        /// <summary>Do what is to be done at `address`, one of the exits.</summary>
        private void Arrive(ulong address)
        {
            if(address == plan.Exit)
            {
                Stop(Cause.Exit, core.PC, (uint)core.GetRegister(0).RawValue, 0);
                return;
            }
            if(plan.Stops.Contains(address))
            {
                Stop(Cause.StopPlace, address, 0, 0);
                return;
            }
            if(main.Exits.Contains(address))
            {
                main.At(address);
            }
            if(heap.Exits.Contains(address))
            {
                heap.At(address);
            }
            if(heapCourse.Exits.Contains(address))
            {
                heapCourse.At(address);
            }
            if(windows.Exits.Contains(address))
            {
                windows.At(address);
                if(windows.Finished && !plan.Exit.HasValue)
                {
                    Stop(Cause.WindowsDone, address, 0, 0);
                    return;
                }
            }
            marks.Set(Exits());
        }

        /// <summary>An exception ends by a jump to `pc`, where no mark can be: a handler may be what is measured.</summary>
        private void ReturnFromException(ulong pc)
        {
            if(windows.Exits.Contains(pc))
            {
                windows.At(pc);
                marks.Set(Exits());
                core.ActivateNewHooks();
            }
        }

        private void BeginStep(ulong pc)
        {
            dialogue.NextStep();
            if(dialogue.Step != null && dialogue.Step.Measured)
            {
                windows.Open(pc);
            }
        }

        /// <summary>Have an answer noticed after the block that gave it, before anything else happens.</summary>
        private void WatchDialogue()
        {
            if(dialogue.IsThere && blocks == null)
            {
                core.SetHookAtBlockEnd((address, instructions) => Converse());
            }
            else if(dialogue.IsThere)
            {
                dialogue.OnStirred = blocks.Ask;
                blocks.Before += (address, instructions) => ConverseAt(address);
                core.AddHookAtWfiStateChange(asleep => Converse());
            }
        }

        private void Converse() { ConverseAt(core.PC.RawValue & ~1UL); }

        /// <summary>When the step under way may have been answered, see, and go on to the next, before the block at `pc`.</summary>
        private void ConverseAt(ulong pc)
        {
            if(!dialogue.Stirred)
            {
                return;
            }
            dialogue.Stirred = false;
            while(dialogue.Answered)
            {
                if(dialogue.Step.Measured)
                {
                    windows.Close();
                }
                BeginStep(pc);
            }
            if(dialogue.Over)
            {
                Stop(Cause.DialogueOver, pc, 0, 0);
            }
        }

        private void Expire()
        {
            Stop(Cause.Deadline, core.PC, 0, 0);
            ReportUnlessDone();
        }

        /// <summary>
        /// Once the core is told to halt, RunFor returns and the run is reported. Should it not, this Renode is lost,
        /// but not the report.
        /// </summary>
        private void ReportUnlessDone()
        {
            new Thread(() =>
            {
                Thread.Sleep(MillisecondsToStop);
                Report(false);
            })
            { IsBackground = true }.Start();
        }

        /// <summary>End the run for the first cause that comes up; `about` and `more` are that cause's own.</summary>
        private void Stop(Cause why, ulong pc, ulong about, uint more)
        {
            lock(gate)
            {
                if(stopped)
                {
                    return;
                }
                end = new Answer('X').Byte((int)why).Word((uint)pc).Long(about).Word(more);
                end.Registers(core, bus, pc);
                stopped = true;
            }
            core.IsHalted = true;
        }

        /// <summary>Send the end of the run, once. `intact` says whether this Renode can be used for another.</summary>
        private void Report(bool intact)
        {
            lock(gate)
            {
                if(reported)
                {
                    return;
                }
                reported = true;
            }
            if(windows.IsOpen && windows.WholeRun)
            {
                windows.Close(); // however it ended: what was counted until then
            }
            else if(blocks != null)
            {
                blocks.Close();
            }
            var extent = heap.Extent ?? new KeyValuePair<uint, uint>(0, 0);
            end.Byte(intact ? 1 : 0).Byte(flash.IsChanged() ? 1 : 0).Long(core.ExecutedInstructions)
                .Bytes(bus.ReadBytes(plan.Stack.Address, plan.Stack.Size))
                .Bytes(platform.ConsoleText()).Text(platform.Log.Text())
                .Byte(windows.IsOpen ? 1 : 0)
                .Byte(main.Returned.HasValue ? 1 : 0).Word(main.Returned ?? 0)
                .Byte(heap.Extent.HasValue ? 1 : 0).Word(extent.Key).Word(extent.Value)
                .Word((uint)dialogue.Number).Bytes(dialogue.Input.Unread);
            channel.Send(end);
        }

        // What `about` of Cause.Stuck says; as in outcome.py.
        private const ulong Interrupted = 1;
        private const ulong InALoop = 2;

        private const int MillisecondsToStop = 3000;

        private readonly Platform platform;
        private readonly Channel channel;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly Plan plan;
        private readonly object gate = new object();
        private BlockStream blocks;
        private Exceptions exceptions;
        private Windows windows;
        private Flash flash;
        private MainWatch main;
        private HeapWatch heap;
        private HeapCourse heapCourse;
        private Dialogue dialogue;
        private Marks marks;
        private Answer end;
        private volatile bool stopped;
        private bool reported;
    }
}
