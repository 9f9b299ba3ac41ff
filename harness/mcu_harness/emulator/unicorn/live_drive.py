"""Drives the embedded emulator's parts for a live run: runs them up to a time or a place, and says why that was not it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from unicorn import unicorn_const as const

from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Fault, FaultKind
from mcu_harness.emulator.held_signals import held_exceptions
from mcu_harness.emulator.live import Stop, StopReason
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.unicorn import faults
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.exceptions import ExceptionFault
from mcu_harness.emulator.unicorn.live_parts import NEVER, LiveExceptions
from mcu_harness.emulator.unicorn.semihosting import BREAKPOINT, Semihosting
from mcu_harness.emulator.unicorn.watches import HeapWatch

_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"


class LiveDrive:
    """Where the core stands is `pc`; `waits` says what it sleeps in, "" while it works.

    `exit` is the function that ends the program, with its status in r0; `on_reset` is called when it asks for a reset.
    `fpu_off_at` gives the instruction that used the FPU while it was off, if there is one; the recorder paused then.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: BlockRecorder,
        exceptions: LiveExceptions,
        semihosting: Semihosting,
        heap: HeapWatch,
        exit: int | None,
        on_reset: Callable[[], None],
        fpu_off_at: Callable[[], int | None],
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._exceptions = exceptions
        self._semihosting = semihosting
        self._heap = heap
        self._exit = exit
        self._on_reset = on_reset
        self._fpu_off_at = fpu_off_at
        self.interrupted: Callable[[], bool] = lambda: False
        self._asked = False
        self._stepped = False
        self._set_places: frozenset[int] | None = None
        self.pc = 0
        self.waits = ""
        self.stood_at: int | None = None  # the place that was reported last: `go` gets past it

    @property
    def now(self) -> int:
        """The time in cycles."""
        return self._recorder.now + self._exceptions.slept

    def stand_at(self, pc: int) -> None:
        """The core was put there."""
        self.pc, self.stood_at, self.waits = pc, None, ""

    def ask(self) -> None:
        """Stop as soon as that can be, with the reason ASKED."""
        self._asked = True
        self._recorder.pause()

    def go(self, until: int, places: frozenset[int]) -> Stop:
        """As `LiveMachine.go`; what handlers of signals raise is raised when the core stands again."""
        self._exceptions.deadline = until
        self._exceptions.look_ahead()
        try:
            with held_exceptions() as self.interrupted:
                return self._go(until, places)
        except ExceptionFault as fault:
            return Stop(StopReason.FAULT, self._engine.pc, str(fault), fault=fault.fault)
        finally:
            self._exceptions.deadline = NEVER

    def step(self) -> Stop:
        """As `LiveMachine.step`."""
        event = self._exceptions.event
        self._exceptions.deadline = self.now if event is None else event
        try:
            with held_exceptions() as self.interrupted:
                if self.waits:
                    if not self._wake(self._exceptions.deadline):
                        return Stop(StopReason.TIME, self.pc)
                    self.pc = self._exceptions.take(self.pc)
                self.stood_at = self.pc
                stop = self._stopped(self._run(frozenset()), frozenset())
        except ExceptionFault as fault:
            return Stop(StopReason.FAULT, self._engine.pc, str(fault), fault=fault.fault)
        finally:
            self._exceptions.deadline = NEVER
        self._asked = False
        return stop or Stop(StopReason.PLACE, self.pc)

    def _go(self, until: int, places: frozenset[int]) -> Stop:
        while True:
            if self._asked:
                self._asked = False
                return Stop(StopReason.ASKED, self.pc)
            if self.now >= until or self.interrupted():
                return Stop(StopReason.TIME, self.pc)
            if self.waits:
                if not self._wake(until):
                    continue
                self.pc = self._exceptions.take(self.pc)
            error = self._run(places | self._own_places())
            stop = self._stopped(error, places)
            if stop is not None:
                return stop

    def _wake(self, until: int) -> bool:
        """Let time pass to what wakes the core; False when the time is up before."""
        before = self.now
        if self._exceptions.sleep():
            self.waits = ""
            return True
        if self.now == before:
            self._exceptions.slept += until - before
        return False

    def _run(self, places: frozenset[int]) -> int:
        """Run from where the core stands, past a place that was reported; returns the engine's error."""
        self._stepped = self.pc == self.stood_at
        if self._stepped:
            self.stood_at = None
            self._set_places = None  # a step forgets them
            self._recorder.only_one()
            error = self._engine.step(self.pc, count=0)
            self._recorder.enough()
        else:
            if places != self._set_places:  # setting them takes longer than running some thousand instructions
                self._engine.set_exits(places)
                self._set_places = frozenset(places)
            error = self._engine.run(self.pc)
        self.pc = self._engine.pc
        return error

    def _own_places(self) -> set[int]:
        return self._heap.exits | ({self._exit} if self._exit is not None else set())

    def _stopped(self, error: int, places: frozenset[int]) -> Stop | None:
        """The engine stopped at `pc`; what that means for the test, None when the program just goes on."""
        engine, recorder, pc = self._engine, self._recorder, self.pc
        if recorder.error is not None:
            return Stop(StopReason.FAULT, pc)
        if recorder.paused and engine.exception not in faults.ASKING:  # what else may have stopped it repeats
            recorder.resume()
            off_at = self._fpu_off_at()
            if off_at is not None:
                self.pc = off_at
                fault = Fault(FaultKind.NO_COPROCESSOR)
                return self._failed(fault, ending.faulted(fault).detail)
            self.pc = self._exceptions.take(pc)
            return None
        if recorder.stopped:
            if recorder.stopped_in_endless_loop:
                self.waits = "an endless loop"
            recorder.resume()
            return None
        if engine.reset_requested:
            self._on_reset()
            return None
        if engine.memory.peek(pc, 2) == BREAKPOINT and engine.exception == faults.BREAKPOINT:
            return self._serve(pc)
        waited = engine.memory.peek(pc - 2, 2) if recorder.last_end == pc else None
        if error == const.UC_ERR_INSN_INVALID and waited in (_WFE, _YIELD):
            if waited == _WFE:
                self._exceptions.doze()
                self.pc = self._exceptions.take(pc)
            return None
        if error or engine.exception is not None or engine.divided_by_zero:
            return self._excepted(error)
        if pc in places or pc in self._own_places():
            return self._arrived(pc, places)
        if waited == _WFI:
            self.waits = "WFI"
            return None
        if self._stepped:
            return None
        return self._failed(Fault(FaultKind.OTHER), "the emulator stopped without saying why")

    def _serve(self, pc: int) -> Stop | None:
        """Semihosting."""
        answer = self._semihosting.call(self._engine.register("r0"), self._engine.register("r1"))
        if answer.exit_status is not None:
            return self._exited(answer.exit_status)
        self._engine.set_register("r0", answer.value)
        self.pc = pc + 2
        return None

    def _excepted(self, error: int) -> Stop | None:
        """An exception, the return from one, or a fault."""
        pc, exceptions = self.pc, self._exceptions
        if not self._engine.divided_by_zero:
            if self._engine.exception == faults.SVC:
                to = exceptions.supervisor_call(pc)
                if to is not None:
                    self.pc = to
                    return None
            elif exceptions.returns(pc):
                self.pc, waits = exceptions.leave(pc)
                self.waits = "sleep on exit" if waits else ""
                if not waits:
                    self.pc = exceptions.take(self.pc)
                return None
        origin = self._recorder.branch_to(pc)
        self._recorder.leave_early(pc)
        end = faults.explain_fault(self._engine, error)
        assert end.fault is not None
        fault, sentence = end.fault, end.detail
        fault = replace(fault, origin=origin) if fault.address == pc else fault
        return self._failed(fault, sentence)

    def _arrived(self, pc: int, places: frozenset[int]) -> Stop | None:
        self.stood_at = pc
        if pc in self._heap.exits:
            self._heap.at(pc)
        if pc == self._exit:
            return self._exited(self._engine.register("r0"))
        return Stop(StopReason.PLACE, pc) if pc in places else None

    def _exited(self, status: int) -> Stop:
        signed = status - (1 << 32) if status >> 31 else status
        return Stop(StopReason.EXITED, self.pc, f"the program ended with status {signed}", signed)

    def _failed(self, fault: Fault, sentence: str) -> Stop:
        return Stop(StopReason.FAULT, self.pc, sentence, fault=fault)
