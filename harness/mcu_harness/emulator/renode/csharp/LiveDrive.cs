// Lets a live run go on: up to a time, to a place, or until something else stops it. Renode stands still in between, with no
// core running, so that all of it can be looked at and changed.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using System.Threading;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Time;

    /// <summary>Why it stands; the numbers are those of live_link.py.</summary>
    internal enum Stand
    {
        Time = 0,
        Place = 1,
        Asked = 2,
        Ended = 3,
    }

    internal sealed class LiveDrive
    {
        /// <summary>Blocks go out while it goes.</summary>
        public LiveDrive(Platform platform, Channel channel, Plan plan, BlockStream blocks)
        {
            this.channel = channel;
            this.plan = plan;
            this.blocks = blocks;
            machine = platform.Machine;
            core = platform.Core;
            bus = platform.Bus;
            emulation = EmulationManager.Instance.CurrentEmulation;
            heap = new HeapWatch(core, plan.Sbrk);
            marks = new Marks(core, Arrive);
            writes = new WriteWatch(core, bus, Ask);
            platform.SetQuantum(TimeInterval.FromMicroseconds(QuantumInstructions / core.PerformanceInMips + 1));
        }

        /// <summary>Whether it stands: what a core does while it is being halted counts for nothing.</summary>
        public bool Stopped { get { return stopped; } }

        /// <summary>Where the core stands, or is.</summary>
        public ulong At { get { return stopped ? at : core.PC.RawValue & ~1UL; } }

        /// <summary>The time in nanoseconds.</summary>
        public ulong Now
        {
            get
            {
                if(!stopped)
                {
                    core.SyncTime();
                }
                return machine.ElapsedVirtualTime.TimeElapsed.Ticks;
            }
        }

        /// <summary>The core was put there.</summary>
        public void StandAt(ulong pc)
        {
            at = pc;
            arrivedAt = null;
            // Renode leaves out the mark that the core stood at until it translates some code anew: it may never.
            marks.Set(Enumerable.Empty<ulong>());
        }

        /// <summary>
        /// Go on to the time `until`, or to one of the places; `skipped` is time to pass before, in which the core does nothing.
        /// </summary>
        public void Go(Request request)
        {
            var until = request.Long();
            var skipped = request.Long();
            var count = request.Word();
            places.Clear();
            for(var i = 0u; i < count; i++)
            {
                places.Add(request.Word());
            }
            end = null;
            if(places.Contains(at) && arrivedAt != at)
            {
                arrivedAt = at;
                arrivedAfter = core.ExecutedInstructions;
                stand = Stand.Place;
            }
            else if(until <= Now)
            {
                stand = Stand.Time;
            }
            else
            {
                marks.Set(places.Concat(OwnPlaces()));
                Run(until - Now, skipped);
            }
            Report();
        }

        /// <summary>Stop before the bytes of [address, address + size) change, if there are any.</summary>
        public void Watch(ulong address, ulong size) { writes.Set(address, size); }

        /// <summary>Execute one instruction, or where the core sleeps, let time pass until it wakes.</summary>
        public void Step()
        {
            end = null;
            stand = Stand.Place;
            marks.Set(OwnPlaces());
            stopped = false;
            blocks.Open();
            core.Step();
            stopped = true;
            lost |= !Pause();
            core.ExecutionMode = ExecutionMode.Continuous;
            blocks.Close();
            arrivedAt = null;
            Report();
        }

        /// <summary>Stop as soon as that can be: it was asked for.</summary>
        public void Ask() { Halt(Stand.Asked); }

        /// <summary>The program cannot go on.</summary>
        public void End(Cause why, ulong pc, ulong about, uint more)
        {
            lock(gate)
            {
                if(stopped)
                {
                    return;
                }
                end = new Answer('X').Byte((int)why).Word((uint)pc).Long(about).Word(more).Registers(core, bus, pc);
            }
            Halt(Stand.Ended);
        }

        /// <summary>The core was aborted: Renode cannot go on.</summary>
        public void Lose()
        {
            lost = true;
            woken.Set();
        }

        private void Run(ulong ticks, ulong skipped)
        {
            RenodeApi.Skip(core, skipped);
            woken.Reset();
            stopped = false;
            blocks.Open();
            machine.ClockSource.AddClockEntry(new ClockEntry(ticks, TicksPerSecond, Expire, machine, "mcu-harness"));
            emulation.StartAll();
            while(!woken.WaitOne(MillisecondsBetweenSigns))
            {
                channel.Send(new Answer('P').Long(core.ExecutedInstructions).Long(machine.ElapsedVirtualTime.TimeElapsed.Ticks));
            }
            lost |= !Pause();
            machine.ClockSource.TryRemoveClockEntry(Expire);
            blocks.Close();
        }

        /// <summary>Have all of Renode stand; false when it does not come to that.</summary>
        private bool Pause()
        {
            if(lost)
            {
                return false;
            }
            var pausing = new Thread(emulation.PauseAll) { IsBackground = true };
            pausing.Start();
            return pausing.Join(MillisecondsToStop);
        }

        private void Expire() { Halt(Stand.Time); }

        private void Halt(Stand why)
        {
            lock(gate)
            {
                if(stopped)
                {
                    return;
                }
                stand = why;
                stopped = true;
            }
            core.Pause();
            woken.Set();
        }

        private IEnumerable<ulong> OwnPlaces()
        {
            return plan.Exit.HasValue ? heap.Exits.Concat(new[] { plan.Exit.Value }) : heap.Exits;
        }

        private void Arrive(ulong address)
        {
            if(stopped || (arrivedAt == address && arrivedAfter == core.ExecutedInstructions))
            {
                return;
            }
            if(heap.Exits.Contains(address))
            {
                heap.At(address);
                marks.Set(places.Concat(OwnPlaces()));
            }
            if(address == plan.Exit)
            {
                End(Cause.Exit, address, (uint)core.GetRegister(0).RawValue, 0);
            }
            else if(places.Contains(address))
            {
                arrivedAt = address;
                arrivedAfter = core.ExecutedInstructions;
                Halt(Stand.Place);
            }
        }

        private void Report()
        {
            at = core.PC.RawValue & ~1UL;
            var extent = heap.Extent ?? new KeyValuePair<uint, uint>(0, 0);
            var answer = new Answer('S').Byte((int)stand).Word((uint)at).Long(Now).Byte(RenodeApi.Sleeps(core) ? 1 : 0).Byte(lost ? 0 : 1)
                .Byte(heap.Extent.HasValue ? 1 : 0).Word(extent.Key).Word(extent.Value)
                .Byte(writes.By.HasValue ? 1 : 0).Word((uint)(writes.By ?? 0));
            channel.Send(end == null ? answer : answer.Bytes(end.Payload()));
        }

        private const int TicksPerSecond = 1000 * 1000 * 1000;
        private const ulong QuantumInstructions = 100 * 1000 * 1000;
        private const int MillisecondsBetweenSigns = 500;
        private const int MillisecondsToStop = 5000;
        private readonly Channel channel;
        private readonly Plan plan;
        private readonly BlockStream blocks;
        private readonly IMachine machine;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly Emulation emulation;
        private readonly HeapWatch heap;
        private readonly Marks marks;
        private readonly WriteWatch writes;
        private readonly HashSet<ulong> places = new HashSet<ulong>();
        private readonly ManualResetEvent woken = new ManualResetEvent(false);
        private readonly object gate = new object();
        private volatile bool stopped = true;
        private volatile bool lost;
        private Stand stand;
        private Answer end;
        private ulong at;
        private ulong? arrivedAt;
        private ulong arrivedAfter;
    }
}
