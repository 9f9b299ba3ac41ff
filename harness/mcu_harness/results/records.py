"""Nouns of a result: plain frozen values, made by the pipeline, read by every report. `format_version` 2."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mcu_harness.base.text import one_line
from mcu_harness.results.access_records import MemoryAccesses
from mcu_harness.results.cost_records import CallNode, FunctionResult, LayerResult, Spread
from mcu_harness.results.coverage_records import Coverage
from mcu_harness.results.finding_codes import Category, category_of
from mcu_harness.results.memory_records import (
    ArenaBlock,
    HeapUse,
    RegionResult,
    SectionResult,
    StackArea,
    StackUse,
    SymbolResult,
)
from mcu_harness.results.origin import Origin, OriginKind
from mcu_harness.results.placement_records import PlacementResult
from mcu_harness.scenario.figure_catalogue import FIGURES

FORMAT_VERSION = 2


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NOT_COMPARABLE = "not comparable"
    NOT_MEASURED = "not measured"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole: FAIL over NOT_COMPARABLE over NOT_MEASURED over PASS; PASS of nothing."""
    found = set(verdicts)
    return next((v for v in (Verdict.FAIL, Verdict.NOT_COMPARABLE, Verdict.NOT_MEASURED) if v in found), Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure. `value` None means not measured, and `origin` then says why.

    `unit` is "B", "s", "instructions", "cycles", "MAC", "fraction" or "J"; `origin` says for people how it was obtained
    ("counted: unicorn 2.1.4", "estimated: cycle-approximate, cortex-m4 model 1, not validated", "ELF", ...), and `kind`
    in one word.
    """

    name: str
    value: float | int | None
    unit: str
    origin: str
    kind: OriginKind

    @classmethod
    def of(cls, name: str, value: float | int | None, origin: Origin) -> Measurement:
        """The figure of that name in the catalogue, in its unit; without a value, `origin` says why there is none."""
        kind = OriginKind.NOT_MEASURED if value is None else origin.kind
        return cls(name, value, FIGURES[name].unit, str(origin), kind)


@dataclass(frozen=True, slots=True)
class Contributor:
    """A part of a measured total, for "largest contributors": a symbol, layer, function or section."""

    name: str
    value: float | int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must know. `code` is stable and dotted ("budget.flash", "output.mismatch"): see `finding_codes`.

    `limit`, `measured` and `unit` are set when it is about a figure; `advice` says what to do next. With `baseline`,
    the accepted value, `contributors` are not parts of the figure but of what it moved by, signed. `details` are
    lines that back the message up: registers, addresses, calls.
    """

    code: str
    verdict: Verdict
    message: str
    advice: str
    limit: float | int | None = None
    measured: float | int | None = None
    unit: str = ""
    contributors: tuple[Contributor, ...] = ()
    baseline: float | int | None = None
    details: tuple[str, ...] = ()

    @property
    def category(self) -> Category:
        return category_of(self.code)


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure (measurement name) in a run and in what the run is compared with; `moved` are the parts that changed.

    `moved` is sorted by size of the change and signed. A figure that stayed the same has no `moved`.
    """

    figure: str
    before: float | int
    after: float | int
    moved: tuple[Contributor, ...] = ()

    @property
    def delta(self) -> float | int:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class BaselineCheck:
    """A run against its baseline, whether or not anything was gated by it.

    `verdict` is NOT_MEASURED without a baseline (or without a run to compare), NOT_COMPARABLE when `incomparable`
    says what differs, and else FAIL or PASS by the tolerances. `causes` names what changed of that the firmware is
    made from. `changes` are all figures that moved and may be compared.
    """

    path: str
    verdict: Verdict
    incomparable: str = ""
    causes: tuple[str, ...] = ()
    changes: tuple[FigureChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many `samples` of class `label` were taken for `taken_for`."""

    label: int
    taken_for: int
    samples: int


@dataclass(frozen=True, slots=True)
class OutputCheck:
    """Firmware outputs against the oracle's. `first_difference` names layer, element, expected and got."""

    oracle: str
    rounding: str
    inputs: int
    mismatches: int | None  # inputs with any differing element; None = not checked
    max_abs_diff: float | int | None
    first_difference: str = ""
    first_input: int = -1  # number of the first input with a mismatch, -1 without one
    accuracy: float | None = None
    oracle_accuracy: float | None = None
    labelled: int = 0  # inputs that scores are over; where more than `inputs`, by the oracle, whose outputs were equal
    scores: dict[str, float] = field(default_factory=dict)  # besides the accuracy, by name of the figure
    oracle_scores: dict[str, float] = field(default_factory=dict)
    confusions: tuple[Confusion, ...] = ()  # what was taken for something else most often


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What reports say of a board beyond its core, clock and memories; `price_class` is "" where none is known."""

    title: str
    vendor: str
    part: str
    price_class: str


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    version: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a number depends on. Paths are given as the user gave them; digests are sha256."""

    harness_version: str
    commit: str  # of the user's checkout, "" outside one
    model_digest: str
    model_bytes: int
    board_digest: str
    build_id: str
    kernel_set: str
    cycle_model: str
    scenario_digest: str
    inputs_digest: str = ""
    sources: dict[str, str] = field(default_factory=dict)  # digest of each part of the firmware's sources
    converted_from: str = ""  # the format of the model's file, "" where it was integers in a .tflite file already
    converters: tuple[str, ...] = ()  # tools that converted it, with versions, in the order of use
    import_notes: tuple[str, ...] = ()  # what conversion and import changed of the model, in its order


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The same run priced for something else: `name` is what was asked for, `changes` what that means in words.

    Figures are per inference, as in `RunResult`, `layer_cycles` one for each of its layers; None = not known. `origin`
    says what they are worth, and `notes` what of that does not hold for the run's own figures.
    """

    name: str
    changes: tuple[str, ...]
    clock_hz: int
    cycles: float | int | None
    latency_s: float | None
    energy_j: float | None
    layer_cycles: tuple[float | int | None, ...]
    origin: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """One scenario (and model) on one board."""

    scenario: str
    model: str
    board: str
    core: str
    clock_hz: int
    emulator: Tool
    toolchain: Tool
    verdict: Verdict
    findings: tuple[Finding, ...]
    measurements: dict[str, Measurement]
    budgets: dict[str, float]
    layers: tuple[LayerResult, ...]
    functions: tuple[FunctionResult, ...]
    calls: tuple[CallNode, ...]
    outputs: OutputCheck
    regions: tuple[RegionResult, ...]
    sections: tuple[SectionResult, ...]
    symbols: tuple[SymbolResult, ...]
    console: str
    provenance: Provenance
    scenario_path: str = ""  # as seen from where the run was started; "" without a file
    baseline: BaselineCheck | None = None
    arena: tuple[ArenaBlock, ...] = ()
    stack_area: StackArea | None = None
    board_facts: BoardFacts | None = None
    stack: StackUse | None = None
    spreads: dict[str, Spread] = field(default_factory=dict)  # of "instructions" and "cycles", where known
    accesses: MemoryAccesses | None = None  # where a memory trace was asked for
    what_ifs: tuple[WhatIf, ...] = ()
    coverage: Coverage | None = None  # where it was asked for
    placement: PlacementResult | None = None  # where it was asked for
    heap: HeapUse | None = None  # over time, where that was asked for
    test: str = (
        ""  # node id of the test that made it, where that is not the scenario itself; with " (2)" for its second
    )

    @classmethod
    def not_run(
        cls,
        *,
        scenario: str,
        model: str,
        board: str,
        core: str,
        clock_hz: int,
        emulator: Tool,
        toolchain: Tool,
        outputs: OutputCheck,
        provenance: Provenance,
        board_facts: BoardFacts | None,
        finding: Finding,
        scenario_path: str = "",
    ) -> RunResult:
        """The result of a case that was never run, for the reason that `finding` gives: nothing is measured."""
        return cls(
            scenario=scenario,
            model=model,
            board=board,
            core=core,
            clock_hz=clock_hz,
            emulator=emulator,
            toolchain=toolchain,
            verdict=finding.verdict,
            findings=(finding,),
            measurements={},
            budgets={},
            layers=(),
            functions=(),
            calls=(),
            outputs=outputs,
            regions=(),
            sections=(),
            symbols=(),
            console="",
            provenance=provenance,
            scenario_path=scenario_path,
            board_facts=board_facts,
        )

    @property
    def case_name(self) -> str:
        """Scenario, with the model where a scenario has several; printable."""
        return one_line(self.scenario if self.model in ("", self.scenario) else f"{self.scenario}/{self.model}")

    def value(self, name: str) -> float | int | None:
        """The figure called `name`, None where it was not measured."""
        measurement = self.measurements.get(name)
        return measurement.value if measurement else None


def with_findings(run: RunResult, findings: Iterable[Finding]) -> RunResult:
    """`run` with more findings, and the verdict that follows."""
    everything = (*run.findings, *findings)
    return replace(run, findings=everything, verdict=worst(finding.verdict for finding in everything))


def case_key(run: RunResult) -> tuple[str, ...]:
    """What tells runs apart, within a session and between sessions: runs with the same key are of the same case."""
    flags = " ".join(run.toolchain.flags)
    tools = (run.toolchain.name, flags, run.emulator.name)
    return (run.scenario, run.model, run.board, *tools, run.scenario_path, run.test)


@dataclass(frozen=True, slots=True)
class Results:
    """All runs of one session, in the order of `case_key`."""

    runs: tuple[RunResult, ...] = ()
    format_version: int = field(default=FORMAT_VERSION)

    @property
    def verdict(self) -> Verdict:
        """The worst of all runs; NOT_MEASURED without any."""
        return worst(run.verdict for run in self.runs) if self.runs else Verdict.NOT_MEASURED


def in_order(runs: Iterable[RunResult]) -> Results:
    """Results in the fixed order, whatever order they came in."""
    return Results(tuple(sorted(runs, key=case_key)))
