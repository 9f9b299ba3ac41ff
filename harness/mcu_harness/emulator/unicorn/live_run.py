"""A live machine on the embedded emulator: the parts of its runs, driven step by step instead of by a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from unicorn import unicorn_const as const

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Call, Fault, FaultKind, RunPlan
from mcu_harness.emulator.held_signals import held_exceptions
from mcu_harness.emulator.live import Device, Listener, Stop, StopReason, Stretch
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.clock import Clock
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.emulator.unicorn import faults
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.exceptions import ExceptionFault
from mcu_harness.emulator.unicorn.live_parts import NEVER, LiveExceptions, LiveInput
from mcu_harness.emulator.unicorn.live_state import CoreState, LiveState, MachineState
from mcu_harness.emulator.unicorn.live_trace import LiveTrace
from mcu_harness.emulator.unicorn.nvic import FIRST_INTERRUPT
from mcu_harness.emulator.unicorn.semihosting import BREAKPOINT, Semihosting
from mcu_harness.emulator.unicorn.watches import HeapWatch
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"


@dataclass(frozen=True, slots=True)
class _Begun:
    mark: Mark
    now: int
    instructions: int
    is_traced: bool


@dataclass(frozen=True, slots=True)
class _Snapshot:
    machine: MachineState
    waits: str
    stood_at: int | None
    end: Stop | None


class LiveRun:
    """Implements `mcu_harness.emulator.live.LiveMachine`: `program` on `board`, after reset.

    `plan` says where the vector table, the stack, `exit` and `sbrk` are. `listener` hears the console.
    """

    name = "unicorn"

    def __init__(self, program: Program, board: Board, plan: RunPlan, clock: Clock, listener: Listener) -> None:
        self._program = program
        self._plan = plan
        self._listener = listener
        self._input = LiveInput()
        self._vectors = board.code_memory.origin + board.vector_offset if plan.vectors is None else plan.vectors
        self._engine = Engine(
            board,
            send=self._hear,
            dialogue=self._input,
            elapsed=lambda: self._recorder.now,
            vectors=self._vectors,
            now=lambda: self.now,
        )
        memory = self._engine.memory
        self._recorder = BlockRecorder(
            memory.read,
            functions=function_ranges(program),
            keep_going=lambda _: not self._interrupted(),
            limit=NEVER,
            clock=clock,
        )
        self._exceptions = LiveExceptions(board.core, self._engine, self._recorder)
        self._engine.watch_divisions(program)
        memory.load(program)
        stack, first = plan.start or (memory.word(self._vectors) or 0, memory.word(self._vectors + 4) or 0)
        self._heap = HeapWatch(plan.sbrk, self._engine.register)
        self._semihosting = Semihosting(
            memory, board.clock_hz, lambda: self._recorder.now, self._hear, self._input, stack
        )
        self._trace = LiveTrace(self._engine, self._recorder, board, program)
        self._interrupted: Callable[[], bool] = lambda: False
        self._asked = False
        self._waits = ""  # the instruction that the core sleeps in
        self._stood_at: int | None = None  # the place that was reported last: `go` gets past it
        self._set_places: frozenset[int] | None = None
        self._end: Stop | None = None
        self._closed = False
        self._resets = 0
        self._start(stack, first)
        self._state = LiveState(self._engine, self._recorder, self._exceptions, (self._input, self._heap))
        self._at_reset = self._state.machine(self._pc)

    def _start(self, stack: int, first: int) -> None:
        if self._plan.start is None and (not stack or not first & 1):
            detail = f"no vector table at {self._vectors:#010x}: stack {stack:#010x}, reset {first:#010x}"
            self._end = Stop(StopReason.FAULT, self._vectors, detail, fault=Fault(FaultKind.NO_VECTORS, self._vectors))
        self._engine.set_register("sp", stack & ~3)
        self._engine.set_register("lr", 0xFFFFFFFF)
        self._engine.set_register("pc", first & ~1)
        self._pc = first & ~1
        self._recorder.set_stop_function(self._engine.stop_function())
        self._engine.hook_blocks(self._recorder.hook_address, self._recorder.state_address)
        self._recorder.begin(self._pc)

    # What can be asked at any time.

    @staticmethod
    def version() -> str:
        return version("unicorn")

    @property
    def now(self) -> int:
        return self._recorder.now + self._exceptions.slept

    @property
    def pc(self) -> int:
        return self._pc

    @property
    def sleeps(self) -> str:
        if not self._waits or self._exceptions.event is not None:
            return self._waits
        return f"{self._waits}, and nothing can wake it"

    @property
    def unread(self) -> bytes:
        return self._input.unread

    @property
    def made_up(self) -> tuple[int, ...]:
        """Device registers that had to answer something made up."""
        return self._engine.made_up

    def send(self, data: bytes) -> None:
        self._input.say(data)
        if self._engine.console is not None:
            self._engine.console.look()
        self._exceptions.look_ahead()

    def read(self, address: int, size: int) -> bytes:
        return self._engine.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        self._engine.memory.write(address, data)

    def registers(self) -> dict[str, int]:
        return self._engine.registers() | {"pc": self._pc}

    def set_register(self, name: str, value: int) -> None:
        self._engine.set_register(name, value)
        if name == "pc":
            self._stand_at(value & ~1)

    def calls(self) -> Sequence[Call]:
        return self._recorder.calls()

    # Putting back.

    def save_core(self) -> CoreState:
        return self._state.core(self._pc)

    def restore_core(self, saved: object) -> None:
        assert isinstance(saved, CoreState)
        self._state.set_core(saved)
        self._stand_at(saved.pc)

    def snapshot(self) -> _Snapshot:
        return _Snapshot(self._state.machine(self._pc), self._waits, self._stood_at, self._end)

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, _Snapshot)
        self._state.set_machine(snapshot.machine)
        self._stand_at(snapshot.machine.core.pc)
        self._waits, self._stood_at, self._end = snapshot.waits, snapshot.stood_at, snapshot.end

    def reset(self) -> None:
        now = self.now
        self._state.set_peripherals(self._at_reset)
        self._exceptions.slept = now - self._recorder.now
        self._state.set_core(self._at_reset.core)
        self._stand_at(self._at_reset.core.pc)
        self._engine.reset_requested = False
        self._end = None
        self._resets += 1

    @property
    def resets(self) -> int:
        return self._resets

    def _stand_at(self, pc: int) -> None:
        self._pc, self._stood_at, self._waits = pc, None, ""

    def interrupt(self, number: int) -> None:
        self._engine.nvic.pend(FIRST_INTERRUPT + number)
        self._engine.on_change()

    def skip(self, cycles: int) -> None:
        self._exceptions.slept += cycles
        self._exceptions.look_ahead()

    def attach(self, low: int, high: int, device: Device) -> None:
        if not self._engine.attach(low, high, device):
            raise EmulatorError(
                f"no device can be attached at {low:#010x}..{high - 1:#010x}",
                hint="where no memory, console UART or system register is: in 0x40000000..0x5fffffff, say",
            )

    # Stretches.

    def begin(self, traced: bool) -> _Begun:
        is_traced = traced and self._trace.begin()
        return _Begun(self._recorder.mark(), self._recorder.now, self._recorder.instructions, is_traced)

    def end(self, begun: object) -> Stretch:
        assert isinstance(begun, _Begun)
        return Stretch(
            instructions=self._recorder.instructions - begun.instructions,
            cycles_by_clock=self._recorder.now - begun.now,
            counts=self._recorder.counts(begun.mark),
            trace=self._trace.end(begun.mark) if begun.is_traced else None,
            heap=self._heap.extent,
        )

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._engine.close()

    # Running.

    def go(self, until: int, places: Collection[int] = ()) -> Stop:
        if self._closed:
            raise EmulatorError("the board is closed", hint="use it inside of the test that asked for it")
        if self._end is not None:
            return self._end
        self._exceptions.deadline = until
        self._exceptions.look_ahead()
        wanted = frozenset(places)
        try:
            with held_exceptions() as self._interrupted:
                stop = self._go(until, wanted)
        except ExceptionFault as fault:
            stop = Stop(StopReason.FAULT, self._engine.pc, str(fault), fault=fault.fault)
        finally:
            self._exceptions.deadline = NEVER
        if self._recorder.error is not None:
            error = self._recorder.error
            raise EmulatorError(f"the block recorder failed at {self._engine.pc:#010x}: {error}") from error
        self._end = stop if stop.is_end else None
        return stop

    def _go(self, until: int, places: frozenset[int]) -> Stop:
        while True:
            if self._asked:
                self._asked = False
                return Stop(StopReason.ASKED, self._pc)
            if self.now >= until or self._interrupted():
                return Stop(StopReason.TIME, self._pc)
            if self._waits:
                if not self._wake(until):
                    continue
                self._pc = self._exceptions.take(self._pc)
            error = self._run(places | self._own_places())
            stop = self._stopped(error, places)
            if stop is not None:
                return stop

    def _wake(self, until: int) -> bool:
        """Let time pass to what wakes the core; False when the time is up before."""
        before = self.now
        if self._exceptions.sleep():
            self._waits = ""
            return True
        if self.now == before:
            self._exceptions.slept += until - before
        return False

    def _run(self, places: frozenset[int]) -> int:
        """Run from where the core stands, past a place that was reported; returns the engine's error."""
        if self._pc == self._stood_at:
            self._stood_at = None
            self._set_places = None  # a step forgets them
            error = self._engine.step(self._pc)
        else:
            if places != self._set_places:  # setting them takes longer than running some thousand instructions
                self._engine.set_exits(places)
                self._set_places = frozenset(places)
            error = self._engine.run(self._pc)
        self._pc = self._engine.pc
        return error

    def _own_places(self) -> set[int]:
        return self._heap.exits | ({self._plan.exit} if self._plan.exit is not None else set())

    def _stopped(self, error: int, places: frozenset[int]) -> Stop | None:
        """The engine stopped at `pc`; what that means for the test, None when the program just goes on."""
        engine, recorder, pc = self._engine, self._recorder, self._pc
        if recorder.error is not None:
            return Stop(StopReason.FAULT, pc)
        if recorder.paused and engine.exception != faults.SVC:  # what else may have stopped it repeats
            recorder.resume()
            self._pc = self._exceptions.take(pc)
            return None
        if recorder.stopped:
            if recorder.stopped_in_endless_loop:
                self._waits = "an endless loop"
            recorder.resume()
            return None
        if engine.reset_requested:
            self.reset()
            return None
        if engine.memory.peek(pc, 2) == BREAKPOINT and engine.exception == faults.BREAKPOINT:
            return self._serve(pc)
        waited = engine.memory.peek(pc - 2, 2) if recorder.last_end == pc else None
        if error == const.UC_ERR_INSN_INVALID and waited in (_WFE, _YIELD):
            if waited == _WFE:
                self._exceptions.doze()
                self._pc = self._exceptions.take(pc)
            return None
        if error or engine.exception is not None or engine.divided_by_zero:
            return self._excepted(error)
        if pc in places or pc in self._own_places():
            return self._arrived(pc, places)
        if waited == _WFI:
            self._waits = "WFI"
            return None
        if pc not in places and not recorder.stopped:
            return None  # after a single step
        return self._failed(Fault(FaultKind.OTHER), "the emulator stopped without saying why")

    def _serve(self, pc: int) -> Stop | None:
        """Semihosting."""
        answer = self._semihosting.call(self._engine.register("r0"), self._engine.register("r1"))
        if answer.exit_status is not None:
            return self._exited(answer.exit_status)
        self._engine.set_register("r0", answer.value)
        self._pc = pc + 2
        return None

    def _excepted(self, error: int) -> Stop | None:
        """An exception, the return from one, or a fault."""
        pc, exceptions = self._pc, self._exceptions
        if not self._engine.divided_by_zero:
            if self._engine.exception == faults.SVC:
                to = exceptions.supervisor_call(pc)
                if to is not None:
                    self._pc = to
                    return None
            elif exceptions.returns(pc):
                self._pc, waits = exceptions.leave(pc)
                self._waits = "sleep on exit" if waits else ""
                if not waits:
                    self._pc = exceptions.take(self._pc)
                return None
        origin = self._recorder.branch_to(pc)
        self._recorder.leave_early(pc)
        fault, sentence = faults.explain_fault(self._engine, error)
        fault = replace(fault, origin=origin) if fault.address == pc else fault
        return self._failed(fault, sentence)

    def _arrived(self, pc: int, places: frozenset[int]) -> Stop | None:
        self._stood_at = pc
        if pc in self._heap.exits:
            self._heap.at(pc)
        if pc == self._plan.exit:
            return self._exited(self._engine.register("r0"))
        return Stop(StopReason.PLACE, pc) if pc in places else None

    def _exited(self, status: int) -> Stop:
        signed = status - (1 << 32) if status >> 31 else status
        return Stop(StopReason.EXITED, self._pc, f"the program ended with status {signed}", signed)

    def _failed(self, fault: Fault, sentence: str) -> Stop:
        return Stop(StopReason.FAULT, self._pc, sentence, fault=fault)

    def _hear(self, data: bytes) -> None:
        if self._listener(data):
            self._asked = True
            self._recorder.pause()
