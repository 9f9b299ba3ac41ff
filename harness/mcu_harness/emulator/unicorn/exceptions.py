"""Exceptions of the embedded emulator: interrupts, SysTick, SVCall, PendSV and NMI are taken; faults end the run.

Entry and return are those of Armv7-M (Architecture Reference Manual, DDI 0403, B1.5.6 to B1.5.8), with the core's
registers and its memory; Unicorn keeps the two stack pointers and the mask registers. What differs from silicon:

- exceptions are taken between basic blocks, and time passes by instructions: neither entry nor return takes any (what they
  cost in cycles is added afterwards, `mcu_harness.analysis.profile.cycles.exceptions`);
- floating-point context is stacked at once, not lazily, where CONTROL.FPCA says that there is one;
- SVC that may not be taken (masked, or from a handler of its priority) ends the run, where silicon has a HardFault.
"""

from __future__ import annotations

from unicorn import arm_const

from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Fault, FaultKind
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.nvic import SVCALL, SYSTICK
from mcu_harness.hardware.core import Core

_SP, _LR = arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR
_PSP, _CONTROL, _XPSR = arm_const.UC_ARM_REG_PSP, arm_const.UC_ARM_REG_CONTROL, arm_const.UC_ARM_REG_XPSR
_FAULTMASK, _FPSCR, _CPSR = (getattr(arm_const, f"UC_ARM_REG_{name}") for name in ("FAULTMASK", "FPSCR", "CPSR"))
_STACKED = [*(getattr(arm_const, f"UC_ARM_REG_R{i}") for i in (0, 1, 2, 3, 12)), _LR]
_FLOATS = [getattr(arm_const, f"UC_ARM_REG_S{i}") for i in range(16)]

_SVC_BYTES = 2
_FRAME, _FLOAT_FRAME = 0x20, 0x68
_NPRIV, _SPSEL, _FPCA, _SFPA = 1, 2, 4, 8
_NUMBER, _ALIGNED, _THUMB, _IT = 0x1FF, 1 << 9, 1 << 24, 0x0600FC00
_RETURNS = 0xFF000000  # jumps to here and above are returns, in handlers
_TO_THREAD, _TO_PSP, _NO_FLOATS = 8, 4, 16
_EVENTS = 4  # things that can happen in a sleep, beyond which they repeat


class ExceptionFault(Exception):
    """An exception cannot be taken or returned from; `fault` and the text say why."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class Exceptions:
    """Takes exceptions of one run. `slept` is the time that passed without instructions."""

    def __init__(self, core: Core, engine: Engine, recorder: BlockRecorder) -> None:
        self._base = core.architecture.first_return
        self.slept = 0
        self.switches = 0  # returns to other code than was interrupted
        self._interrupted: list[tuple[int, int]] = []  # where, and the stack pointer there, innermost last
        self._event = False
        self._engine = engine
        self._memory = engine.memory
        self._nvic = engine.nvic
        self._recorder = recorder
        engine.on_change = self._changed
        recorder.may_take = lambda: self._nvic.next() is not None

    # When.

    def _changed(self) -> None:
        """Something was written that exceptions depend on, in the middle of a block."""
        if self._nvic.next() is not None:
            self._recorder.pause()
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Have the recorder stop for what comes next."""
        self._recorder.hold(self._nvic.waiting)
        at = self._next_event()
        self._recorder.set_alarm(None if at is None else at - self.slept)

    @property
    def next_event(self) -> int | None:
        """When something comes that the program does not do itself; None when nothing will."""
        return self._next_event()

    def _next_event(self) -> int | None:
        ticks = None if self._nvic.is_pending(SYSTICK) else self._engine.ticks.fires_at
        times = (
            ticks,
            *(uart.next_byte for uart in self._engine.interrupting),
            *(timer.next_event for timer in self._engine.counting),
        )
        return min((time for time in times if time is not None), default=None)

    def _pass(self) -> None:
        """What the time brings that has come."""
        now = self._recorder.now + self.slept
        ticks = self._engine.ticks
        if ticks.fires_at is not None and ticks.fires_at <= now:
            self._nvic.pend(SYSTICK)
            ticks.fired()
        for uart in self._engine.interrupting:
            if uart.waits:
                uart.look()
        for timer in self._engine.counting:
            timer.pass_time()

    def take(self, pc: int) -> int:
        """Execution stopped before `pc`: take the exception that is due, if any; returns where to go on."""
        self._pass()
        number = self._nvic.next()
        if number is not None:
            pc = self._enter(number, pc)
        self._look_ahead()
        return pc

    def sleep(self) -> bool:
        """The program waits for an interrupt: let time pass until there is one. False when none can come."""
        for _ in range(_EVENTS):
            self._pass()
            if self._nvic.next(masked=False) is not None:
                return True
            at = self._next_event()
            if at is None:
                return False
            self.slept = max(self.slept, at - self._recorder.now)
        return False

    def doze(self) -> bool:
        """As `sleep`, until an event (WFE): the last exception is one, once. False where none can come."""
        came = self._event or self.sleep()
        self._event = False
        return came

    def supervisor_call(self, pc: int) -> int | None:
        """SVC was executed, and `pc` follows it; None where that cannot be served: then the core is back at the SVC.

        That is what the HardFault would return to, as a fault of an instruction (Armv7-M ARM, B1.5.6).
        """
        vector = self._memory.word(self._engine.system.vectors + 4 * SVCALL) or 0
        if not self._nvic.can_take(SVCALL) or not vector & 1 or self._memory.peek(vector & ~1, 2) is None:
            self._engine.core_registers.write(arm_const.UC_ARM_REG_PC, pc - _SVC_BYTES | 1)
            return None
        pc = self._enter(SVCALL, pc)
        self._look_ahead()
        return pc

    # Entry.

    def _enter(self, number: int, pc: int) -> int:
        """Take exception `number`; code is to go on at `pc` afterwards. Returns the handler's address."""
        core = self._engine.core_registers
        xpsr, control, stack = (core.read(register) for register in (_XPSR, _CONTROL, _SP))
        is_thread = not xpsr & _NUMBER
        floats = bool(control & _FPCA) and self._engine.system.saves_floats
        frame = stack - (_FLOAT_FRAME if floats else _FRAME)
        aligned = frame & 4 if self._engine.system.aligns_stack or floats else 0
        frame = frame - aligned & 0xFFFFFFFF
        status = xpsr & ~_ALIGNED | (_ALIGNED if aligned else 0)
        words = [*(core.read(register) for register in _STACKED), pc, status]
        if floats:
            words += [core.read(register) for register in _FLOATS]
            words += [core.read(_FPSCR), 0]
        if not self._memory.writable_at(frame) or not self._memory.writable_at(frame + 4 * len(words) - 1):
            fault = Fault(FaultKind.STACKING, frame, 4 * len(words))
            raise ExceptionFault(fault, ending.no_stack(frame, number))
        self._memory.write(frame, b"".join(word.to_bytes(4, "little") for word in words))
        core.write(_SP, frame)
        to = self._base | (0 if floats else _NO_FLOATS) | (_TO_THREAD if is_thread else 0)
        core.write(_LR, to | (_TO_PSP if is_thread and control & _SPSEL else 0))
        if is_thread and control & _SPSEL:
            self._recorder.task_stacks.suspend(self._recorder.exceptions.task, stack, frame)
        self._handle(number, status, control, is_thread)
        self._nvic.enter(number)
        self._event = True
        table = self._engine.system.vectors
        vector = self._memory.word(table + 4 * number) or 0
        if not vector & 1:
            text = f"an exception (number {number}) has no handler: its vector at {table + 4 * number:#010x} is {vector:#x}"
            raise ExceptionFault(Fault(FaultKind.NO_HANDLER, table + 4 * number), text)
        self._recorder.exceptions.enter(vector & ~1, pc, stack & ~3, floats)
        self._interrupted.append((pc, stack & ~3))
        return vector & ~1

    def _handle(self, number: int, status: int, control: int, is_thread: bool) -> None:
        """Enter handler mode, on the main stack, without a floating-point context."""
        core = self._engine.core_registers
        status = status & ~(_NUMBER | _IT | _ALIGNED) | _THUMB
        core.write(_XPSR, status | number)
        if control & _SPSEL and is_thread:
            # SPSEL can be written in privileged thread mode only.
            core.write(_CONTROL, 0)
            core.write(_XPSR, status)
            core.write(_CONTROL, 0)
            core.write(_XPSR, status | number)
        core.write(_CONTROL, control & _NPRIV)
        self._see_mode()

    def _see_mode(self) -> None:
        """Have Unicorn look at the mode anew: of registers it does so for this one only."""
        core = self._engine.core_registers
        core.write(_CPSR, core.read(_CPSR))

    # Return.

    def returns(self, pc: int) -> bool:
        """Whether a jump to `pc` is the return from an exception."""
        return pc >= _RETURNS and bool(self._engine.core_registers.read(_XPSR) & _NUMBER)

    def leave(self, to: int) -> tuple[int, bool]:
        """Return from the exception by a jump to `to`; where to go on, and whether to wait for an interrupt first."""
        core, memory = self._engine.core_registers, self._memory
        number = core.read(_XPSR) & _NUMBER
        floats = not to & _NO_FLOATS
        frame = core.read(_PSP if to & _TO_PSP else _SP)
        size = _FLOAT_FRAME if floats else _FRAME
        data = memory.peek(frame, size)
        if data is None:
            fault = Fault(FaultKind.UNSTACKING, frame, size)
            raise ExceptionFault(fault, ending.no_stack_to_return(frame, number))
        words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, size, 4)]
        pc, status = words[6], words[7]
        if not status & _THUMB:
            text = (
                f"the return from an exception (number {number}) leaves Thumb state: the stacked xPSR is {status:#010x}"
            )
            raise ExceptionFault(Fault(FaultKind.NOT_THUMB, pc), text)
        if core.read(_FAULTMASK) and number > 2:
            core.write(_FAULTMASK, 0)
        stack = frame + size + (4 if status & _ALIGNED else 0)
        core.write(_PSP if to & _TO_PSP else _SP, stack)
        self._unstack(to, status, floats)
        for register, word in zip(_STACKED, words, strict=False):
            core.write(register, word)
        if floats:
            for register, word in zip(_FLOATS, words[8:], strict=False):
                core.write(register, word)
            core.write(_FPSCR, words[24])
        self._nvic.leave(number)
        self._event = True
        self._recorder.exceptions.leave(pc & ~1, stack)
        if to & _TO_PSP:
            self._recorder.task_stacks.resume(self._recorder.exceptions.task, stack)
        before = self._interrupted.pop() if self._interrupted else None
        self.switches += before != (pc & ~1, stack)
        return pc & ~1, bool(to & _TO_THREAD) and self._engine.system.sleeps_on_exit

    def _unstack(self, to: int, status: int, floats: bool) -> None:
        """The mode, stack and floating-point context that code returns to."""
        core = self._engine.core_registers
        control = core.read(_CONTROL)
        wanted = control & _NPRIV | ((_FPCA | _SFPA if self._base & 1 == 0 else _FPCA) if floats else 0)
        if not to & _TO_THREAD:
            core.write(_XPSR, status & ~_ALIGNED)
            core.write(_CONTROL, wanted)
        else:
            core.write(_CONTROL, 0)  # privileged, as long as this takes
            core.write(_XPSR, status & ~(_ALIGNED | _NUMBER))
            core.write(_CONTROL, wanted | (_SPSEL if to & _TO_PSP else 0))
        self._see_mode()
