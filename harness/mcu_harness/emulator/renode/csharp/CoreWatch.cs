// Watches a core for what silicon would make a fault of, or what ends a program: accesses to where nothing is, exceptions that
// cannot be taken, breakpoints, resets that it asks for itself.
namespace McuHarness
{
    using System;
    using Antmicro.Renode.Core;
    using Antmicro.Renode.Peripherals.CPU;

    /// <summary>Ends a run for the first cause that comes up, at `pc`; `about` and `more` are that cause's own.</summary>
    internal delegate void Stop(Cause why, ulong pc, ulong about, uint more);

    internal sealed class CoreWatch
    {
        /// <summary>
        /// `exceptions` is null when no blocks are recorded. Once `stopped()`, nothing counts any more: that is what a core does
        /// that is being halted.
        /// </summary>
        public CoreWatch(Platform platform, Exceptions exceptions, Semihosting semihosting, Func<bool> stopped, Stop stop)
        {
            this.platform = platform;
            this.exceptions = exceptions;
            this.semihosting = semihosting;
            this.stopped = stopped;
            this.stop = stop;
            core = platform.Core;
            bus = platform.Bus;
            exceptionFaults = new ExceptionFaults(bus, core);
        }

        /// <summary>Called when a semihosting call was served, with the address that it returns to.</summary>
        public Action<ulong> Served = delegate {};

        /// <summary>Called when an exception is about to be taken.</summary>
        public Action Entering = delegate {};

        /// <summary>Called when an exception is about to return, by a jump to that address.</summary>
        public Action<ulong> Returning = delegate {};

        /// <summary>Called when the core was aborted: it may never come back.</summary>
        public Action Aborted = delegate {};

        /// <summary>Watch from now on.</summary>
        public void Begin()
        {
            // With this, a peripheral that asks for the program counter gets that of the very instruction.
            core.UpdateContextOnLoadAndStore = true;
            foreach(var guard in platform.Guards)
            {
                guard.Touched = (address, write, width) =>
                {
                    if(bus.IsAccessing)
                    {
                        stop(Cause.BadAccess, core.PC, address, (uint)(width | (write ? 0x100 : 0)));
                    }
                };
            }
            core.AddHookAtInterruptBegin(OnException);
            core.AddHookAtInterruptEnd(x => ReturnFromException(core.PC.RawValue & ~1UL));
            core.Halted += OnHalted;
            bus.HookWrites(ResetControl, OnResetControl);
            foreach(var other in platform.Others)
            {
                new CoreBus(bus.All, other.Core).HookWrites(ResetControl, OnResetControl);
                other.Core.Halted += arguments => OnOtherHalted(other, arguments);
            }
        }

        private void ReturnFromException(ulong pc)
        {
            if(stopped())
            {
                return;
            }
            var frame = exceptionFaults.NoStackToLeave();
            if(frame.HasValue && exceptionFaults.Current != 0)
            {
                stop(Cause.Unstacking, pc, frame.Value, exceptionFaults.Current);
                return;
            }
            Returning(pc);
            if(exceptions != null)
            {
                exceptions.Leave();
            }
        }

        private void OnException(ulong number)
        {
            if(stopped())
            {
                return;
            }
            if(number == ExceptionSupervisorCall)
            {
                // It only becomes pending by its own exception, and is then taken like an interrupt.
                if(exceptionFaults.SupervisorCallMustWait())
                {
                    stop(Cause.SupervisorCall, (core.PC.RawValue & ~1UL) - 2, 0, 0);
                }
                return;
            }
            if(number == ExceptionInterrupt || number == ExceptionFastInterrupt)
            {
                var frame = exceptionFaults.NoStackToEnter();
                if(frame.HasValue)
                {
                    stop(Cause.Stacking, core.PC.RawValue & ~1UL, frame.Value, exceptionFaults.Next);
                    return;
                }
                Entering();
                if(exceptions != null)
                {
                    exceptions.Enter();
                }
                return;
            }
            if(number == ExceptionBreakpoint && semihosting.IsAsked)
            {
                Serve((core.PC.RawValue & ~1UL) + 2);
                return;
            }
            stop(Cause.Exception, core.PC, number, core.FaultStatus);
        }

        /// <summary>Serve a semihosting call that returns to `next`.</summary>
        private void Serve(ulong next)
        {
            uint answer;
            var status = semihosting.Serve(out answer);
            if(status.HasValue)
            {
                stop(Cause.Exit, core.PC, status.Value, 0);
                return;
            }
            if(answer != 0)
            {
                // Renode will now put the answer of its own semihosting, 0, into r0.
                AddressHook correct = null;
                correct = new AddressHook(core, address =>
                {
                    core.SetRegister(0, answer);
                    correct.Remove(address);
                });
                correct.Add(next);
                core.ActivateNewHooks();
            }
            Served(next);
        }

        private uint OnResetControl(uint value, long offset)
        {
            if(value >> 16 != ResetKey || (value & ResetRequest) == 0)
            {
                return value;
            }
            stop(Cause.SystemReset, core.PC, 0, 0);
            return value & ~ResetRequest;
        }

        private void OnHalted(HaltArguments arguments)
        {
            if(arguments.Reason == HaltReason.Abort)
            {
                stop(Cause.Abort, core.PC, 0, 0);
                Aborted();
            }
        }

        private void OnOtherHalted(OtherCore other, HaltArguments arguments)
        {
            if(arguments.Reason == HaltReason.Abort)
            {
                stop(Cause.OtherAborted, core.PC, other.Core.PC.RawValue & ~1UL, (uint)platform.Others.IndexOf(other));
                Aborted();
            }
        }

        // tlib's numbers of exceptions.
        private const ulong ExceptionSupervisorCall = 2;
        private const ulong ExceptionInterrupt = 5;
        private const ulong ExceptionFastInterrupt = 6;
        private const ulong ExceptionBreakpoint = 7;

        // AIRCR and its SYSRESETREQ (Armv7-M Architecture Reference Manual, B3.2.6).
        private const ulong ResetControl = 0xE000ED0C;
        private const uint ResetKey = 0x05FA;
        private const uint ResetRequest = 1 << 2;

        private readonly Platform platform;
        private readonly Exceptions exceptions;
        private readonly Semihosting semihosting;
        private readonly Func<bool> stopped;
        private readonly Stop stop;
        private readonly CortexM core;
        private readonly CoreBus bus;
        private readonly ExceptionFaults exceptionFaults;
    }
}
