// One run: memory is filled, the core starts from its vectors, windows open and close where the plan says, and
// whatever ends the run is reported with its cause.
namespace McuHarness
{
    using System;
    using System.Collections.Generic;
    using System.Linq;
    using System.Threading;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Exceptions;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Time;

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
        BadReset = 7,
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
            plan = new Plan(request);
        }

        public void Execute()
        {
            var bus = platform.Machine.SystemBus;
            foreach(var chunk in plan.Load)
            {
                bus.WriteBytes(chunk.Data, chunk.Address);
            }
            core.VectorTableOffset = plan.Vectors;
            var sp = bus.ReadDoubleWord(plan.Vectors);
            var pc = bus.ReadDoubleWord(plan.Vectors + 4);
            if((pc & 1) == 0 || bus.FindMemory(pc & ~1u) == null)
            {
                Stop(Cause.BadReset, pc, 0, 0);
                Report(true);
                return;
            }
            core.SP = sp;
            core.PC = pc;
            Watch();
            if(plan.Profile)
            {
                blocks = new BlockStream(platform.Machine.SystemBus, core, channel, plan.Code);
            }
            if(!plan.Begin.HasValue)
            {
                OpenWindow();
            }
            using(new Timer(x => Expire(), null, (int)plan.TimeoutMilliseconds, Timeout.Infinite))
            {
                Advance();
            }
            Report(true);
        }

        private void Watch()
        {
            // With this, a peripheral that asks for the program counter gets that of the very instruction.
            core.UpdateContextOnLoadAndStore = true;
            foreach(var guard in platform.Guards)
            {
                guard.Touched = (address, write, width) =>
                    Stop(Cause.BadAccess, core.PC, address, (uint)(width | (write ? 0x100 : 0)));
            }
            core.AddHookAtInterruptBegin(OnException);
            core.Halted += OnHalted;
            foreach(var address in new[] { plan.Begin, plan.End, plan.Exit }.OfType<ulong>().Distinct())
            {
                core.AddHook(address, OnMarker);
            }
        }

        /// <summary>Let virtual time pass in stretches until something has ended the run.</summary>
        private void Advance()
        {
            var emulation = EmulationManager.Instance.CurrentEmulation;
            emulation.MasterTimeSource.AdvanceImmediately = true;
            platform.Machine.LocalTimeSource.AdvanceImmediately = true;
            var stretch = TimeInterval.FromMicroseconds(StretchInstructions / core.PerformanceInMips + 1);
            emulation.MasterTimeSource.Quantum = stretch;
            platform.Machine.LocalTimeSource.Quantum = stretch;
            var asleep = TimeInterval.Empty;
            while(!stopped)
            {
                var before = core.ExecutedInstructions;
                if(before >= plan.MaxInstructions)
                {
                    Stop(Cause.InstructionLimit, core.PC, 0, 0);
                    break;
                }
                var left = (plan.MaxInstructions - before) / core.PerformanceInMips + 1;
                var now = left < StretchInstructions ? TimeInterval.FromMicroseconds(left) : stretch;
                emulation.RunFor(now < stretch ? now : stretch);
                asleep = core.ExecutedInstructions == before ? asleep + stretch : TimeInterval.Empty;
                if(asleep.TotalSeconds >= SecondsAsleep)
                {
                    Stop(Cause.Stuck, core.PC, 0, 0);
                }
            }
        }

        private void OnMarker(ICpuSupportingGdb cpu, ulong address)
        {
            // One address can be several markers: compilers fold identical functions.
            if(address == plan.End)
            {
                CloseWindow();
            }
            if(address == plan.Begin)
            {
                OpenWindow();
            }
            if(address == plan.Exit)
            {
                if(!plan.End.HasValue)
                {
                    CloseWindow();
                }
                Stop(Cause.Exit, address, core.GetRegister(0).RawValue, 0);
            }
        }

        private void OpenWindow()
        {
            if(open || nextWindow >= Math.Max(plan.Windows.Count, plan.Begin.HasValue ? 0 : 1))
            {
                return;
            }
            open = true;
            if(nextWindow < plan.Windows.Count)
            {
                foreach(var chunk in plan.Windows[nextWindow].Writes)
                {
                    platform.Machine.SystemBus.WriteBytes(chunk.Data, chunk.Address);
                }
            }
            openedAt = core.ExecutedInstructions;
            if(blocks != null)
            {
                blocks.Open();
            }
        }

        private void CloseWindow()
        {
            if(!open)
            {
                return;
            }
            open = false;
            var instructions = core.ExecutedInstructions - openedAt;
            if(blocks != null)
            {
                blocks.Close();
            }
            var reads = nextWindow < plan.Windows.Count ? plan.Windows[nextWindow].Reads : new List<Area>();
            nextWindow++;
            var answer = new Answer('W').Long(instructions).Word((uint)reads.Count);
            foreach(var area in reads)
            {
                answer.Bytes(platform.Machine.SystemBus.ReadBytes(area.Address, area.Size));
            }
            channel.Send(answer);
        }

        private void OnException(ulong number)
        {
            if(number == ExceptionInterrupt || number == ExceptionFastInterrupt || number == ExceptionSupervisorCall)
            {
                return;
            }
            Stop(Cause.Exception, core.PC, number, core.FaultStatus);
        }

        private void OnHalted(HaltArguments arguments)
        {
            if(arguments.Reason == HaltReason.Abort)
            {
                Stop(Cause.Abort, core.PC, 0, 0);
                ReportUnlessDone();
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
                cause = why;
                causePc = (uint)pc;
                causeAbout = about;
                causeMore = more;
                registers = Enumerable.Range(0, 16).Select(x => (uint)core.GetRegister(x).RawValue)
                    .Concat(new[] { core.XProgramStatusRegister, core.FaultStatus, core.MemoryFaultAddress }).ToArray();
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
            if(blocks != null)
            {
                blocks.Close();
            }
            var bus = platform.Machine.SystemBus;
            var answer = new Answer('X').Byte(intact ? 1 : 0).Byte((int)cause).Word(causePc).Long(causeAbout)
                .Word(causeMore).Long(core.ExecutedInstructions).Byte(open ? 1 : 0)
                .Bytes(bus.ReadBytes(plan.Stack.Address, plan.Stack.Size))
                .Bytes(platform.ConsoleText()).Text(platform.Log.Text());
            foreach(var register in registers)
            {
                answer.Word(register);
            }
            channel.Send(answer);
        }

        // tlib's numbers of the exceptions that a healthy program may take.
        private const ulong ExceptionSupervisorCall = 2;
        private const ulong ExceptionInterrupt = 5;
        private const ulong ExceptionFastInterrupt = 6;

        private const ulong StretchInstructions = 100 * 1000 * 1000;
        // Virtual seconds without a single instruction after which nothing can be expected to wake the core.
        private const double SecondsAsleep = 30;
        private const int MillisecondsToStop = 3000;

        private readonly Platform platform;
        private readonly Channel channel;
        private readonly CortexM core;
        private readonly Plan plan;
        private readonly object gate = new object();
        private BlockStream blocks;
        private int nextWindow;
        private bool open;
        private ulong openedAt;
        private volatile bool stopped;
        private bool reported;
        private Cause cause;
        private uint causePc;
        private ulong causeAbout;
        private uint causeMore;
        private uint[] registers;
    }
}
