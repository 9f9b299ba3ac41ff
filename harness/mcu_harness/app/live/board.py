"""The live board that a test holds: let time pass, listen, speak, look, change, measure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mcu_harness.app.live.answers import Change, Snapshot
from mcu_harness.app.live.calls import Hook, Hooks, Observer, begin_call, end_call
from mcu_harness.app.live.console import Consoles
from mcu_harness.app.live.failures import BoardFailure, Explainer
from mcu_harness.app.live.firmware import LiveFirmware, parse_budgets
from mcu_harness.app.live.gdb_server import GdbServer
from mcu_harness.app.live.heap_timeline import HeapTimeline
from mcu_harness.app.live.measurement import Measurement, Measuring
from mcu_harness.app.live.peripherals import BoardPeripherals
from mcu_harness.app.live.rtos_tasks import TaskSwitches
from mcu_harness.app.live.timeline import Timeline
from mcu_harness.app.live.uart import DEFAULT_TIMEOUT, LiveUart, Time, shown
from mcu_harness.app.live.values import PlainType, Value
from mcu_harness.app.live.variables import Variables
from mcu_harness.base import units
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.emulator.contract import STACK_PAINT
from mcu_harness.emulator.heap_log import heap_functions
from mcu_harness.emulator.live import Device, Listener, LiveMachine, Stop, StopReason
from mcu_harness.image.symbol_names import titles
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.results.regression_gate import undecided
from mcu_harness.scenario.cases import Case

# Takes a measurement's case and result, and whether a baseline has a say; returns the result as it is kept.
Keep = Callable[[Case, RunResult, bool], RunResult]


class LiveBoard(BoardPeripherals):
    """Firmware on a board, just after reset. Times are virtual: a number is in seconds, text has a unit ("50 ms").

    Every method that lets time pass raises BoardFailure where the firmware faults, and HarnessError for what it is asked
    wrongly.
    """

    def __init__(self, firmware: LiveFirmware, make: Callable[[Listener], LiveMachine], test: str, keep: Keep) -> None:
        self._firmware = firmware
        self._test = test
        self._keep = keep
        self._measuring = False
        self._hooks = Hooks()
        self._variables = Variables(firmware)
        self._owed: int | None = None  # where hooks are due, when the firmware goes on from there
        self._consoles = Consoles(firmware.board.console_name)
        self.console = self._consoles[""]
        self._machine = make(lambda data, uart: self._consoles[uart].heard(data, self.cycles))
        low, high = firmware.under_test.plan.stack
        self._machine.write(low, bytes([STACK_PAINT]) * (high - low))
        self._since_reset = self._machine.begin(traced=False)
        self._explainer = Explainer(self._machine, firmware, self._consoles, self._hooks, self._since_reset)
        self._uart = self._made_uart("")
        self._uarts: dict[str, LiveUart] = {}

    # Time.

    @property
    def cycles(self) -> int:
        """The time in cycles of the core since reset, slept ones included."""
        return self._machine.now

    @property
    def time_s(self) -> float:
        """The same in seconds, at the board's clock."""
        return self.cycles / self._firmware.board.clock_hz

    def run_for(self, time: Time) -> None:
        """Let `time` pass."""
        __tracebackhide__ = True
        self._explainer.check(self._go(self._after(time)))

    def run_until(self, place: str | int, timeout: Time = DEFAULT_TIMEOUT) -> None:
        """Run up to the function, label or address `place`; it has not been executed then."""
        __tracebackhide__ = True
        address = self._firmware.address(place) & ~1
        stop = self._go(self._after(timeout), {address})
        self._explainer.check(stop)
        if stop.reason is not StopReason.PLACE:
            name = place if isinstance(place, str) else f"{place:#010x}"
            raise self._explainer.missing(f"run_until({name!r}): it was not reached within {shown(timeout)}", stop)

    def run_until_changed(self, place: str | int, type: str | None = None, timeout: Time = DEFAULT_TIMEOUT) -> Change:
        """Run until a variable, or what is at an address, has another value; says which, and what instruction did it.

        The board stands at the end of that basic block. Each instruction is looked at, which makes it some hundred times
        slower; callbacks of `on` do not run meanwhile.
        """
        __tracebackhide__ = True
        if self._measuring:
            raise HarnessError("a measurement is under way", hint="end its `with` block before a change is looked for")
        variable = self._variables.find(place, type)
        before = self._machine.read(variable.address, variable.type.size)
        stop, by = self._machine.go_until_changed(self._after(timeout), variable.address, variable.type.size)
        self._explainer.check(stop)
        name = place if isinstance(place, str) else f"{place:#010x}"
        if by is None:
            raise self._explainer.missing(
                f"run_until_changed({name!r}): it did not change within {shown(timeout)}", stop
            )
        after = self._machine.read(variable.address, variable.type.size)
        decode = variable.type.decode
        return Change(decode(before), decode(after), by, self._firmware.places.where(by))

    def skip(self, time: Time) -> None:
        """Let `time` pass in which the core does nothing; callbacks may do that too."""
        self._machine.skip(self._after(time) - self.cycles)

    def _go(self, until: int, places: Collection[int] = ()) -> Stop:
        """As the machine goes, with the hooks that lie on the way."""
        if self._hooks.is_running:
            raise HarnessError(
                "the firmware cannot go on inside of a callback", hint="let time pass with `skip`, or return first"
            )
        if self._owed is not None and self._machine.pc == self._owed:
            self._hooks.enter(self._machine)
        self._owed = None
        while True:
            stop = self._machine.go(until, {*places, *self._hooks.places})
            if stop.reason is not StopReason.PLACE:
                return stop
            if stop.pc in places:
                self._owed = stop.pc if stop.pc in self._hooks.places else None
                return stop
            self._hooks.enter(self._machine)

    # Console.

    def uart(self, name: str) -> LiveUart:
        """The UART that the board file, or its chip, calls `name`, as in `board.uart("usart2").expect("ready")`.

        That of the console is the console. Raises HarnessError with the names that there are.
        """
        if name == self._firmware.board.console_name:
            return self._uart
        if name not in self._uarts:
            if name not in self._machine.uarts:
                known = (self._firmware.board.console_name, *self._machine.uarts)
                raise HarnessError(f"{self._firmware.board.name} has no UART {name!r}", hint=did_you_mean(name, known))
            self._uarts[name] = self._made_uart(name)
        return self._uarts[name]

    def _made_uart(self, name: str) -> LiveUart:
        return LiveUart(name, self._consoles[name], self._machine, self._explainer, self._go, self._after)

    def send(self, data: str | bytes) -> None:
        """The firmware can read `data` from its console from now on; no time passes."""
        self._uart.send(data)

    def expect(
        self, pattern: str | bytes | re.Pattern[str] | re.Pattern[bytes], timeout: Time = DEFAULT_TIMEOUT
    ) -> re.Match[str] | re.Match[bytes]:
        """Run until `pattern`, a regular expression, is on the console; returns the match.

        What came before the end of an earlier match is not looked at again. A match that more text could make longer, as
        of "(\\d+)", waits a millisecond for that. Raises BoardFailure with what is known when it does not come in time.
        """
        __tracebackhide__ = True
        return self._uart.expect(pattern, timeout)

    @property
    def transcript(self) -> str:
        """All that was said on the console and other UARTs, with its times."""
        return "\n".join(self._consoles.transcript(self._firmware.board.clock_hz))

    # Memory and registers.

    def read(self, place: str | int, type: str | None = None) -> Value:
        """The value of a variable ("count", "settings.corners[1].y"), or at an address.

        `type` is one of "u8" to "u64", "i8" to "i64", "f32", "f64", "bool", "char[16]", arrays of them ("u16[4]"), or of
        the debug information ("struct point"). Without it the variable has its own type: structures are dicts, arrays
        lists, enums the names of their values, `char` arrays text up to the zero byte.
        """
        found = self._variables.find(place, type)
        return found.type.decode(self._machine.read(found.address, found.type.size))

    def write(self, place: str | int, value: Value, type: str | None = None) -> None:
        """Set a variable, or what is at an address; members of a structure that are not given stay as they are."""
        found = self._variables.find(place, type)
        before = self._machine.read(found.address, found.type.size)
        self._machine.write(found.address, found.type.encode(value, before))

    def address(self, place: str | int) -> int:
        """Where a function, a variable, or a part of one lies; a function without its Thumb bit."""
        return self._variables.address(place)

    def read_bytes(self, place: str | int, size: int) -> bytes:
        return self._machine.read(self._variables.address(place), size)

    def write_bytes(self, place: str | int, data: bytes) -> None:
        self._machine.write(self._variables.address(place), data)

    @property
    def registers(self) -> Mapping[str, int]:
        """The core's registers as they are: r0 to r12, sp, lr, pc, xpsr, primask, ..."""
        return self._machine.registers()

    def set_register(self, name: str, value: int) -> None:
        """Set r0 to r12, sp, lr or pc."""
        if name not in (*(f"r{nth}" for nth in range(13)), "sp", "lr", "pc"):
            raise HarnessError(f"no register {name!r} can be set", hint="r0 to r12, sp, lr and pc can")
        self._machine.set_register(name, value)

    # Functions, interrupts, devices.

    def call(self, function: str, *arguments: int, timeout: Time = DEFAULT_TIMEOUT, returns: str = "u32") -> Value:
        """Call a function of the firmware where it stands, and give what it returns, of the type `returns` (at most 8 B).

        The registers are what they were afterwards; what it did to memory and devices stays. Interrupts are taken meanwhile.
        """
        __tracebackhide__ = True
        address = self._firmware.function(function).address
        kind = PlainType(returns)
        if kind.size > 8:
            raise HarnessError(f"call({function!r}): a result of {kind.size} B is not returned in registers")
        machine, back = self._machine, self._firmware.first
        saved, stack = begin_call(machine, address, back, arguments)
        until = self._after(timeout)
        while True:
            stop = self._go(until, {back})
            self._explainer.check(stop)
            if stop.reason is StopReason.PLACE and machine.registers()["sp"] == stack:
                break
            if stop.reason is not StopReason.ASKED and stop.reason is not StopReason.PLACE:
                raise self._explainer.missing(f"call({function!r}): it did not return within {shown(timeout)}", stop)
        result = end_call(machine, saved)
        return kind.decode(result[: kind.size])

    def on(self, function: str, callback: Callable[..., object], *, replace: bool = False) -> Hook:
        """Call `callback` whenever the firmware calls `function`, with as many of its arguments as it takes.

        Arguments are unsigned words. With `replace` the function does not run, and what the callback returns is its result.
        Returns a handle with `count` and `remove()`.
        """
        return self._hooks.add(function, self._firmware.function(function).address, callback, replace)

    @contextmanager
    def timeline(self, path: str | Path, functions: Sequence[str], *, heap: bool = False) -> Iterator[None]:
        """Write when `functions` ran within the `with` block, and what was said, to `path`: Perfetto opens it.

        Handlers of exceptions are functions too; patterns as "mcu_layer_*" name many. Tasks of FreeRTOS, Zephyr and ThreadX
        have a track of their own. With `heap`, the bytes on the heap are a counter; what was there before the block began is not in it.
        It is written however the block ends.
        """
        named = [(name, symbol) for name in functions for symbol in self._firmware.functions(name)]
        followed = {symbol.address: name if name == symbol.name else symbol.name for name, symbol in named}
        timeline = Timeline(followed, self._firmware.board.clock_hz)
        since = self.cycles
        tasks = TaskSwitches(self._firmware.program, self._variables, timeline.task)
        tasks.begin(self._machine)
        observers: list[Observer] = [timeline, tasks]
        if heap:
            allocator = heap_functions(self._firmware.program)
            if not allocator:
                raise HarnessError(
                    "the firmware has no malloc", hint="leave `heap` out, or keep the symbols in the ELF"
                )
            observers.append(HeapTimeline(allocator, self._machine, timeline.heap))
        self._hooks.observers += observers
        try:
            yield
        finally:
            for observer in observers:
                self._hooks.observers.remove(observer)
            timeline.write(Path(path), self.cycles, self._consoles.said_since(since))

    def interrupt(self, number: int) -> None:
        """Make the external interrupt `number` pending, as its device would."""
        if not 0 <= number < self._firmware.board.core.interrupts:
            most = self._firmware.board.core.interrupts
            raise HarnessError(f"there is no interrupt {number}", hint=f"this core has 0 to {most - 1}")
        self._machine.interrupt(number)

    def attach(self, address: int, size: int, device: Device) -> None:
        """Let `device` answer reads and writes of the `size` bytes at `address`.

        It has `read(offset, size) -> int` and `write(offset, size, value)`.
        """
        self._machine.attach(address, address + size, device)

    def monitor(self, command: str) -> str:
        """What Renode's monitor answers to `command`: its own peripherals, sensors and log. The embedded emulator has none."""
        return self._machine.monitor(command)

    # Putting back.

    def snapshot(self) -> Snapshot:
        """The board as it is, with its time, for `restore`."""
        return Snapshot(self._machine, self._machine.snapshot(), self._consoles.position, self._owed)

    def restore(self, snapshot: Snapshot) -> None:
        """The board as it was then. Hooks and attached devices are not part of it."""
        if not isinstance(snapshot, Snapshot) or snapshot.machine is not self._machine:
            raise HarnessError("that is no snapshot of this board", hint="give what its own `snapshot()` returned")
        if self._measuring:
            raise HarnessError("a measurement is under way", hint="end its `with` block before the board is put back")
        self._machine.restore(snapshot.state)
        self._consoles.rewind(snapshot.consoles)
        self._owed = snapshot.owed

    def reset(self) -> None:
        """Press the reset button: core and peripherals begin anew, memories stay, and time goes on."""
        self._machine.reset()
        self._owed = None

    @property
    def resets(self) -> int:
        """How often the board was reset, by itself or by `reset`."""
        return self._machine.resets

    # Measuring.

    @contextmanager
    def measure(
        self, function: str = "", *, name: str = "", budget: Mapping[str, object] | None = None
    ) -> Iterator[Measurement]:
        """Measure what runs inside of the `with` block: all calls of `function`, or without one, everything.

        It is a row of the reports, called `name`. A figure over its `budget` fails the test.
        """
        __tracebackhide__ = True
        symbol = self._firmware.function(function) if function else None
        title = titles(self._firmware.program, [symbol])[symbol.address] if symbol else ""
        measurement = Measurement(name or function or "stretch", symbol, title, parse_budgets(budget or {}))
        measuring = self.begin_stretch(measurement)
        try:
            yield measurement
        except BaseException:
            self.abandon_stretch(measuring)
            raise
        result = self._keep(*self.end_stretch(measuring), True)
        measurement.finish(result)
        if result.verdict is not Verdict.PASS and not undecided(result):
            from mcu_harness.results.report.terminal import failure_text  # late: most tests do not fail

            raise BoardFailure(failure_text(result))

    def begin_stretch(self, measurement: Measurement) -> Measuring:
        """What `measure` does, for who ends it with `end_stretch` or `abandon_stretch`; one at a time."""
        if self._measuring:
            raise HarnessError("a measurement is under way", hint="end its `with` block before the next one begins")
        measuring = Measuring(self._machine, self._firmware, measurement, self.console.text)
        self._measuring = True
        return measuring

    def end_stretch(self, measuring: Measuring) -> tuple[Case, RunResult]:
        """The row that the stretch is; nobody has kept it yet."""
        self._measuring = False
        return measuring.end(self._test, self.console.text)

    def abandon_stretch(self, measuring: Measuring) -> None:
        """Nobody wants to know."""
        self._measuring = False
        measuring.abandon()

    # The end.

    def keep_coverage(self) -> None:
        """Make all that ran since reset a row called "run", with which lines of the source that was."""
        measurement = Measurement("run", None, "", {})
        whole = Measuring(self._machine, self._firmware, measurement, "", self._since_reset)
        self._keep(*whole.end(self._test, self.console.text, coverage=True), False)

    def gdb_server(self) -> GdbServer:
        """A server that lets GDB look at the board where it stands, and go on from there."""
        return GdbServer(self._machine)

    @property
    def image(self) -> Path:
        """The firmware's file."""
        return self._firmware.program.path

    def close(self) -> None:
        """Give the emulator back; harmless when called twice."""
        self._machine.close()

    # What goes wrong.

    @property
    def _clock_hz(self) -> int:
        return self._firmware.board.clock_hz

    def _after(self, time: Time) -> int:
        if not isinstance(time, str | int | float):
            raise HarnessError(f"{time!r} is no time", hint='text has a unit, as "50 ms"; a number is in seconds')
        # A number of Python is in seconds, as everywhere in Python; text says its unit.
        seconds = units.parse(time if isinstance(time, str) else f"{float(time)!r} s", "seconds")
        if seconds < 0:
            raise HarnessError(f"time does not go back: {time!r}")
        return self.cycles + round(seconds * self._firmware.board.clock_hz)
