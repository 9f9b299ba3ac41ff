// One run: memory is filled, the core starts from its vectors, windows open and close where the plan says, and
// whatever ends the run is reported with its cause.
namespace McuHarness
{
    using System;
    using System.Linq;
    using System.Threading;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.Bus;
    using Antmicro.Renode.Peripherals.CPU;
    using Antmicro.Renode.Time;
    using Range = Antmicro.Renode.Core.Range;

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
            bus = platform.Machine.SystemBus;
            plan = new Plan(request);
        }

        public void Execute()
        {
            foreach(var chunk in plan.Load)
            {
                bus.WriteBytes(chunk.Data, chunk.Address);
            }
            flash = new Flash(bus, plan.Flash);
            if(plan.Profile)
            {
                blocks = new BlockStream(bus, core, channel, plan.Code);
            }
            windows = new Windows(plan, bus, core, channel, blocks);
            if(Reset())
            {
                using(new Timer(x => Expire(), null, (int)plan.TimeoutMilliseconds, Timeout.Infinite))
                {
                    Advance();
                }
            }
            Report(true);
        }

        private bool Reset()
        {
            var sp = bus.ReadDoubleWord(plan.Vectors);
            var pc = bus.ReadDoubleWord(plan.Vectors + 4);
            core.VectorTableOffset = plan.Vectors;
            if(sp == 0 || (pc & 1) == 0)
            {
                Stop(Cause.BadVectors, 0, sp, pc);
                return false;
            }
            core.SP = sp & ~3u;
            core.SetRegister(LinkRegister, uint.MaxValue);
            core.PC = pc;
            Watch();
            if(windows.WholeRun || !plan.Begin.HasValue)
            {
                windows.Open();
            }
            return true;
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
            if(plan.WatchFlash)
            {
                flash.Watch(core, (pc, address) => Stop(Cause.FlashWrite, pc, address, 0));
            }
            core.AddHookAtInterruptBegin(OnException);
            core.Halted += OnHalted;
            var system = bus.WhatPeripheralIsAt(ResetControl) as IBusPeripheral;
            if(system != null)
            {
                var control = new Range(ResetControl & 0xFFF, 4);
                bus.SetHookBeforePeripheralWrite<uint>(system, OnResetControl, control);
            }
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
            var asleep = 0.0;
            while(!stopped)
            {
                var before = core.ExecutedInstructions;
                if(before >= plan.MaxInstructions)
                {
                    Stop(Cause.InstructionLimit, core.PC, 0, 0);
                    break;
                }
                var left = (plan.MaxInstructions - before) / core.PerformanceInMips + 1;
                var step = left < StretchInstructions / core.PerformanceInMips ? TimeInterval.FromMicroseconds(left) : stretch;
                emulation.RunFor(step);
                asleep = core.ExecutedInstructions == before ? asleep + step.TotalSeconds : 0.0;
                if(asleep >= SecondsAsleep)
                {
                    Stop(Cause.Stuck, core.PC, 0, 0);
                }
            }
        }

        private void OnMarker(ICpuSupportingGdb cpu, ulong address)
        {
            if(address == plan.End && !windows.WholeRun)
            {
                windows.Close();
                if(!plan.Exit.HasValue && windows.AllSeen)
                {
                    Stop(Cause.WindowsDone, address, 0, 0);
                }
            }
            if(address == plan.Begin && !windows.WholeRun)
            {
                windows.Open();
            }
            if(address == plan.Exit)
            {
                Exit((uint)core.GetRegister(0).RawValue);
            }
        }

        private void Exit(uint status)
        {
            if(windows.WholeRun || !plan.End.HasValue)
            {
                windows.Close();
            }
            Stop(Cause.Exit, core.PC, status, 0);
        }

        private void OnException(ulong number)
        {
            if(number == ExceptionInterrupt || number == ExceptionFastInterrupt || number == ExceptionSupervisorCall)
            {
                return;
            }
            if(number == ExceptionBreakpoint && Semihosting.IsAsked(bus, core))
            {
                var status = Semihosting.Serve(bus, core, platform.Send);
                if(status.HasValue)
                {
                    Exit(status.Value);
                }
                return;
            }
            Stop(Cause.Exception, core.PC, number, core.FaultStatus);
        }

        private uint OnResetControl(uint value, long offset)
        {
            if(value >> 16 != ResetKey || (value & ResetRequest) == 0)
            {
                return value;
            }
            Stop(Cause.SystemReset, core.PC, 0, 0);
            return value & ~ResetRequest;
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
                end = new Answer('X').Byte((int)why).Word((uint)pc).Long(about).Word(more);
                foreach(var register in Enumerable.Range(0, 16).Select(x => (uint)core.GetRegister(x).RawValue))
                {
                    end.Word(register);
                }
                end.Word(core.XProgramStatusRegister).Word(core.FaultStatus).Word(core.MemoryFaultAddress);
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
            channel.Send(end.Byte(intact ? 1 : 0).Byte(flash.IsChanged() ? 1 : 0).Long(core.ExecutedInstructions)
                .Bytes(bus.ReadBytes(plan.Stack.Address, plan.Stack.Size))
                .Bytes(platform.ConsoleText()).Text(platform.Log.Text()));
        }

        private const int LinkRegister = 14;

        // tlib's numbers of exceptions.
        private const ulong ExceptionSupervisorCall = 2;
        private const ulong ExceptionInterrupt = 5;
        private const ulong ExceptionFastInterrupt = 6;
        private const ulong ExceptionBreakpoint = 7;

        // AIRCR and its SYSRESETREQ (Armv7-M Architecture Reference Manual, B3.2.6).
        private const ulong ResetControl = 0xE000ED0C;
        private const uint ResetKey = 0x05FA;
        private const uint ResetRequest = 1 << 2;

        private const ulong StretchInstructions = 100 * 1000 * 1000;
        // Virtual seconds without a single instruction after which nothing can be expected to wake the core.
        private const double SecondsAsleep = 30;
        private const int MillisecondsToStop = 3000;

        private readonly Platform platform;
        private readonly Channel channel;
        private readonly CortexM core;
        private readonly IBusController bus;
        private readonly Plan plan;
        private readonly object gate = new object();
        private BlockStream blocks;
        private Windows windows;
        private Flash flash;
        private Answer end;
        private volatile bool stopped;
        private bool reported;
    }
}
