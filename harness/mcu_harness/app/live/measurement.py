"""A measured stretch of a live run: its figures, which a test can assert on and every report shows as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mcu_harness.app.live.firmware import LiveFirmware
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.contract import STACK_PAINT, Execution, ExitReason
from mcu_harness.emulator.live import LiveMachine, Stretch
from mcu_harness.emulator.traced_run import makes_wait
from mcu_harness.image.program import Symbol
from mcu_harness.results.cost_records import FunctionResult
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, RunResult, Tool, Verdict
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.limits import Budget

if TYPE_CHECKING:
    from mcu_harness.analysis.observation import Reading

Number = int | float


class Measurement:
    """Figures of a stretch, or with a `function`, of all its calls in the stretch. They are there once it has ended."""

    def __init__(self, name: str, function: Symbol | None, title: str, budgets: Mapping[str, Budget]) -> None:
        self.name = name
        self.function = function
        self._title = title  # what reports call the function
        self.budgets = dict(budgets)
        self._result: RunResult | None = None

    def finish(self, result: RunResult) -> None:
        """The stretch has ended, with this."""
        self._result = result

    @property
    def result(self) -> RunResult:
        """All of it, as reports have it; raises HarnessError before the end."""
        if self._result is None:
            raise HarnessError(
                f"the measurement of {self.name!r} has not ended", hint="ask for its figures after the `with` block"
            )
        return self._result

    @property
    def instructions(self) -> int:
        return int(self.result.value("instructions") or 0)

    @property
    def cycles(self) -> Number | None:
        """Cycles of the core's model, None where there is none; `cycles_origin` says their error."""
        return self.result.value("cycles")

    @property
    def cycles_origin(self) -> str:
        return self.result.measurements["cycles"].origin

    @property
    def latency_s(self) -> float | None:
        return self.result.value("latency_s")

    @property
    def energy_j(self) -> float | None:
        return self.result.value("energy_j")

    @property
    def stack(self) -> int | None:
        """The most bytes of the main stack in use at any time of the stretch; None where it was not measured."""
        value = self.result.value("stack_hwm_bytes")
        return None if value is None else int(value)

    @property
    def heap(self) -> int | None:
        value = self.result.value("heap_hwm_bytes")
        return None if value is None else int(value)

    @property
    def calls(self) -> int:
        """How often the measured function was called; of a stretch, all calls in it."""
        wanted = [f for f in self.result.functions if self.function is None or f.name == self._title]
        return int(sum(function.calls for function in wanted))

    @property
    def functions(self) -> dict[str, FunctionResult]:
        """What ran, by function: calls, own costs, and those with callees."""
        return {function.name: function for function in self.result.functions}

    def limit(self, key: str) -> float:
        """The budget called `key`, in B, s, J or as a count."""
        if key not in self.budgets:
            known = ", ".join(self.budgets) or "none"
            raise HarnessError(f"the measurement of {self.name!r} has no budget {key!r}", hint=f"it has: {known}")
        return self.budgets[key].limit


class Measuring:
    """One measurement under way on `machine`, from now on, or since what `begun` is of; then its stack is not known."""

    def __init__(
        self,
        machine: LiveMachine,
        firmware: LiveFirmware,
        measurement: Measurement,
        console: str,
        begun: object | None = None,
    ) -> None:
        self._machine = machine
        self._firmware = firmware
        self.measurement = measurement
        self._before = console
        self._stack = begun is None and _paint_stack(machine, firmware)
        self._begun = machine.begin(traced=makes_wait(firmware.board)) if begun is None else begun

    def end(self, test: str, console: str, coverage: bool = False) -> tuple[Case, RunResult]:
        """The stretch ends here; `console` is all that was written so far. With `coverage`, it says what of it ran."""
        # Late: they are half of what is loaded, and boards that nobody measures need none of it.
        from mcu_harness.analysis.analyses import analyses_for
        from mcu_harness.analysis.observation import Request
        from mcu_harness.app import pipeline
        from mcu_harness.app.judge import judge

        stretch = self._machine.end(self._begun)
        measurement, firmware = self.measurement, self._firmware
        case = firmware.measured(test, measurement.name, measurement.budgets)
        tool = Tool(self._machine.name, self._machine.version())
        execution = self._execution(stretch, console)
        analyses = analyses_for(Request(firmware.board, coverage=coverage or pipeline.COVERAGE in measurement.budgets))
        run, reading = pipeline.read(firmware.under_test, firmware.board, tool, execution, analyses, lambda _: None)
        missing = self._missing(stretch)
        reading = replace(reading, findings=(*missing, *reading.findings)) if missing else reading
        result = judge(case, tool, run.firmware, run.execution, run.profile, _without_path(reading, measurement))
        return case, result

    def abandon(self) -> None:
        """The stretch ends here, and nobody wants to know."""
        self._machine.end(self._begun)

    def _execution(self, stretch: Stretch, console: str) -> Execution:
        from mcu_harness.analysis.profile.subtree import below, pruned

        function, machine = self.measurement.function, self._machine
        counts = stretch.counts
        counts = below(counts, self._firmware.program, {function.address}) if function else pruned(counts)
        instructions = int((counts.edge_count * counts.block_instructions[counts.edge_current]).sum())
        low, high = self._firmware.under_test.plan.stack
        stack = machine.read(low, high - low) if self._stack else b""
        return Execution(
            reason=ExitReason.FINISHED,
            status=None,
            pc=machine.pc,
            detail="",
            console=console.removeprefix(self._before),
            reads=(),
            window_instructions=(instructions,),
            stack_bytes=stack,
            registers=machine.registers(),
            blocks=counts,
            emulation_s=0.0,
            heap=stretch.heap,
            data=stretch.trace,
        )

    def _missing(self, stretch: Stretch) -> tuple[Finding, ...]:
        """A finding for a function that never ran: its figures would be 0 and keep every budget."""
        function = self.measurement.function
        if function is None or function.address in stretch.counts.block_address.tolist():
            return ()
        return (
            Finding(
                code=Code.MEASURE_NEVER_CALLED,
                verdict=Verdict.FAIL,
                message=f"{self.measurement.name} was not called while it was measured",
                advice="let more time pass inside of the `with` block; a function that was inlined has no calls",
            ),
        )


def _without_path(reading: Reading, measurement: Measurement) -> Reading:
    """Of a function alone, the frames of what called it are not known: then there is no path to the deepest point."""
    if measurement.function is None:
        return reading
    show = reading.show
    return replace(reading, show=lambda result: replace(show(result), stack=None))


def _paint_stack(machine: LiveMachine, firmware: LiveFirmware) -> bool:
    """Paint what is free of the main stack; False where the core uses another one, whose bounds nobody knows."""
    low, high = firmware.under_test.plan.stack
    pointer = machine.registers()["sp"]
    if not low < pointer <= high:
        return False
    machine.write(low, bytes([STACK_PAINT]) * (pointer - low))
    return True
