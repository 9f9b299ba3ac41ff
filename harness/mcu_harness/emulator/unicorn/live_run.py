"""A live machine on the embedded emulator: the parts of its runs, driven step by step instead of by a plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Call, Fault, FaultKind
from mcu_harness.emulator.live import Device, LiveSetup, Stop, StopReason, Stretch
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.fpu_watch import FpuWatch
from mcu_harness.emulator.unicorn.live_drive import LiveDrive
from mcu_harness.emulator.unicorn.live_parts import NEVER, LiveExceptions
from mcu_harness.emulator.unicorn.live_peripherals import Converter, I2cBus, LivePeripherals, SpiBus
from mcu_harness.emulator.unicorn.live_ports import LivePorts
from mcu_harness.emulator.unicorn.live_state import CoreState, LiveState, MachineState
from mcu_harness.emulator.unicorn.live_trace import LiveTrace
from mcu_harness.emulator.unicorn.live_watch import LiveWatch
from mcu_harness.emulator.unicorn.nvic import FIRST_INTERRUPT
from mcu_harness.emulator.unicorn.peripherals.pins import Pin
from mcu_harness.emulator.unicorn.semihosting import Semihosting
from mcu_harness.emulator.unicorn.watches import HeapWatch


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
    """Implements `mcu_harness.emulator.live.LiveMachine`."""

    name = "unicorn"

    def __init__(self, setup: LiveSetup) -> None:
        program, board, plan = setup.program, setup.board, setup.plan
        self._plan = plan
        self._listener = setup.listener
        self._ports = LivePorts(board, self._hear)
        self._vectors = board.code_memory.origin + board.vector_offset if plan.vectors is None else plan.vectors
        self._engine = Engine(
            board,
            send=lambda data: self._hear(data, ""),
            elapsed=lambda: self._recorder.now,
            vectors=self._vectors,
            now=lambda: self.now,
            uarts=self._ports.lines,
        )
        self._ports.connect(self._engine.uarts)
        self._peripherals = LivePeripherals(board, self._engine)
        memory = self._engine.memory
        self._fpu = FpuWatch(
            memory.read,
            lambda: board.fpu == "none" or self._engine.system.fpu_enabled,
            lambda: self._recorder.pause(),
        )
        self._recorder = BlockRecorder(
            self._fpu.read,
            functions=function_ranges(program),
            keep_going=lambda _: not self._drive.interrupted(),
            limit=NEVER,
            clock=setup.clock,
        )
        self._exceptions = LiveExceptions(board.core, self._engine, self._recorder)
        self._engine.system.on_fpu_enabled = lambda: self._fpu.switched_on(self._recorder.last_block)
        self._engine.watch_divisions(program)
        memory.load(program)
        stack, first = plan.start or (memory.word(self._vectors) or 0, memory.word(self._vectors + 4) or 0)
        self._heap = HeapWatch(plan.sbrk, self._engine.register)
        semihosting = Semihosting(
            memory,
            board.clock_hz,
            lambda: self._recorder.now,
            lambda data: self._hear(data, ""),
            self._ports.host,
            stack,
        )
        self._trace = LiveTrace(self._engine, self._recorder, board, program)
        parts = self._engine, self._recorder, self._exceptions, semihosting, self._heap
        self._drive = LiveDrive(*parts, plan.exit, self.reset, lambda: self._fpu.off_at)
        self._end: Stop | None = None
        self._closed = False
        self._resets = 0
        self._start(stack, first)
        self._state = LiveState(self._engine, self._recorder, self._exceptions, (*self._ports.inputs, self._heap))
        self._at_reset = self._state.machine(self._drive.pc)

    def _start(self, stack: int, first: int) -> None:
        if self._plan.start is None and (not stack or not first & 1):
            detail = f"no vector table at {self._vectors:#010x}: stack {stack:#010x}, reset {first:#010x}"
            self._end = Stop(StopReason.FAULT, self._vectors, detail, fault=Fault(FaultKind.NO_VECTORS, self._vectors))
        self._engine.set_register("sp", stack & ~3)
        self._engine.set_register("lr", 0xFFFFFFFF)
        self._engine.set_register("pc", first & ~1)
        self._drive.stand_at(first & ~1)
        self._recorder.set_stop_function(self._engine.stop_function())
        self._engine.hook_blocks(self._recorder.hook_address, self._recorder.state_address)
        self._recorder.begin(self._drive.pc)

    # What can be asked at any time.

    @staticmethod
    def version() -> str:
        return version("unicorn")

    @property
    def now(self) -> int:
        return self._drive.now

    @property
    def pc(self) -> int:
        return self._drive.pc

    @property
    def sleeps(self) -> str:
        if not self._drive.waits or self._exceptions.event is not None:
            return self._drive.waits
        return f"{self._drive.waits}, and nothing can wake it"

    @property
    def uarts(self) -> tuple[str, ...]:
        return self._ports.names

    def unread(self, uart: str = "") -> bytes:
        return self._ports.unread(uart)

    def lost(self, uart: str = "") -> tuple[bytes, str]:
        return self._ports.lost(uart)

    @property
    def made_up(self) -> tuple[int, ...]:
        """Device registers that had to answer something made up."""
        return self._engine.made_up

    def send(self, data: bytes, uart: str = "") -> None:
        self._ports.send(data, uart)
        self._exceptions.look_ahead()

    def read(self, address: int, size: int) -> bytes:
        return self._engine.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        self._engine.memory.write(address, data)

    def registers(self) -> dict[str, int]:
        return self._engine.registers() | {"pc": self._drive.pc}

    def set_register(self, name: str, value: int) -> None:
        self._engine.set_register(name, value)
        if name == "pc":
            self._drive.stand_at(value & ~1)

    def calls(self) -> Sequence[Call]:
        return self._recorder.calls()

    # Putting back.

    def save_core(self) -> CoreState:
        return self._state.core(self._drive.pc)

    def restore_core(self, saved: object) -> None:
        assert isinstance(saved, CoreState)
        self._state.set_core(saved)
        self._drive.stand_at(saved.pc)

    def snapshot(self) -> _Snapshot:
        return _Snapshot(self._state.machine(self._drive.pc), self._drive.waits, self._drive.stood_at, self._end)

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, _Snapshot)
        self._state.set_machine(snapshot.machine)
        self._drive.stand_at(snapshot.machine.core.pc)
        self._drive.waits, self._drive.stood_at, self._end = snapshot.waits, snapshot.stood_at, snapshot.end

    def reset(self) -> None:
        now, outside = self.now, self._peripherals.pins.outside()
        self._state.set_peripherals(self._at_reset)
        self._peripherals.pins.set_outside(outside)
        self._exceptions.slept = now - self._recorder.now
        self._state.set_core(self._at_reset.core)
        self._drive.stand_at(self._at_reset.core.pc)
        self._engine.reset_requested = False
        self._end = None
        self._resets += 1

    @property
    def resets(self) -> int:
        return self._resets

    def pin(self, name: str) -> Pin:
        return self._peripherals.pin(name)

    def adc(self, name: str) -> Converter:
        return self._peripherals.adc(name)

    def i2c(self, name: str) -> I2cBus:
        return self._peripherals.i2c(name)

    def spi(self, name: str) -> SpiBus:
        return self._peripherals.spi(name)

    def ask(self) -> None:
        self._drive.ask()

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
                hint="where no memory or system register is: in 0x40000000..0x5fffffff, say",
            )

    def monitor(self, command: str) -> str:
        raise EmulatorError(
            "the embedded emulator has no monitor", hint='Renode has: mcu_board(..., emulator="renode")'
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
        stop = self._drive.go(until, frozenset(places))
        if self._recorder.error is not None:
            error = self._recorder.error
            raise EmulatorError(f"the block recorder failed at {self._engine.pc:#010x}: {error}") from error
        self._end = stop if stop.is_end else None
        return stop

    def step(self) -> Stop:
        if self._end is not None:
            return self._end
        stop = self._drive.step()
        self._end = stop if stop.is_end else None
        return stop

    def go_until_changed(self, until: int, address: int, size: int) -> tuple[Stop, int | None]:
        watch = LiveWatch(self._engine.memory, address, size, self._drive.ask)
        self._engine.hook_each(watch.before)
        try:
            stop = self.go(until)
            while stop.reason is StopReason.ASKED and watch.changed_by is None:  # something on the console
                stop = self.go(until)
        finally:
            self._engine.unhook_instructions()
        return stop, watch.changed_by

    def _hear(self, data: bytes, uart: str) -> None:
        if self._listener(data, uart):
            self._drive.ask()
