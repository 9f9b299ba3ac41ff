"""Variants of a model beside each other on one board: which are worth having, and what each won or lost in which layer.

A view of results and nothing else. Variants are the models of one scenario. One dominates another when it is at least
as good in the quality and in every cost, and better in one of them; those that none dominates are the Pareto front. Costs
that differ by less than CLOSE count as the same: a per mille of cycles is no reason to keep a net that is worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mcu_harness.base.text import one_line
from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.finding_codes import Category
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.scenario.figure import Better, Figure, Shown
from mcu_harness.scenario.figure_catalogue import FIGURES, by_tile, shown_in

# The first that every variant has: SQNR compares each with its own float model, accuracy all with the labels.
QUALITIES = ("accuracy", "sqnr_db")
# Of each group the first that every variant has.
CLOSE = 0.01
COSTS = (("latency_s", "instructions"), ("flash_bytes",), ("ram_bytes",))


@dataclass(frozen=True, slots=True)
class Entry:
    """A variant on the board. `left_out` says why it is not compared, "" where it is; `dominated_by` names others.

    `same_as` names an earlier one that is the same model, to the byte: one of them is enough.
    """

    name: str
    run: RunResult
    left_out: str
    dominated_by: tuple[str, ...] = ()
    same_as: str = ""

    @property
    def on_front(self) -> bool:
        return not self.left_out and not self.dominated_by and not self.same_as

    @property
    def keeps_budgets(self) -> bool:
        return not self.left_out and all(
            finding.verdict is Verdict.PASS for finding in self.run.findings if finding.category is Category.BUDGET
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """The variants of `scenario` on `board`, best quality first. `axes` are the quality, if any, and the costs.

    `reference` is the variant that the others' layers are compared with: the best, of several the slowest.
    """

    scenario: str
    board: str
    clock_hz: int
    tools: str
    quality: Figure | None
    costs: tuple[Figure, ...]
    entries: tuple[Entry, ...]

    @property
    def compared(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if not entry.left_out)

    @property
    def front(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.on_front)

    @property
    def reference(self) -> Entry | None:
        return self.compared[0] if self.compared else None

    def entry(self, name: str) -> Entry:
        return next(entry for entry in self.entries if entry.name == name)

    def drop(self, entry: Entry) -> float | None:
        """By how much the quality of `entry` is below that of the best, in the quality's unit."""
        if self.quality is None or entry.left_out or self.reference is None:
            return None
        best, own = self.reference.run.value(self.quality.name), entry.run.value(self.quality.name)
        return None if best is None or own is None else best - own

    def best(self, figure: Figure) -> Entry | None:
        """Of the front's variants that keep their budgets, the one with the best value of `figure`."""
        known = [
            (value, number, entry)
            for number, entry in enumerate(self.front)
            if entry.keeps_budgets and (value := entry.run.value(figure.name)) is not None
        ]
        sign = -1 if figure.better is Better.MORE else 1
        return min(known, key=lambda item: (sign * item[0], item[1]))[2] if known else None


@dataclass(frozen=True, slots=True)
class LayerPair:
    """A layer of the reference and the one in its place in a variant; None on a side that has none."""

    before: LayerResult | None
    after: LayerResult | None

    def change(self, name: str) -> float | None:
        """What the variant has more of a layer's figure; all of it where only one has the layer. None = not measured."""
        values = [0 if layer is None else getattr(layer, name) for layer in (self.before, self.after)]
        return None if None in values else values[1] - values[0]


def comparisons(results: Results) -> list[Comparison]:
    """A comparison for every scenario with two models or more, for each board, compiler and emulator that it was run with."""
    groups: dict[tuple[str, ...], dict[str, RunResult]] = {}
    own = [run for run in results.runs if not run.test]
    for run in sorted(own, key=_was_not_set_up):
        place = (run.scenario, run.scenario_path, run.board)
        tools = (run.toolchain.name, " ".join(run.toolchain.flags), run.emulator.name)
        # What could not be set up never met a compiler: it belongs to every one that others were built with.
        known = [key for key in groups if key[:3] == place] if _was_not_set_up(run) else []
        for key in known or [(*place, *tools)]:
            groups.setdefault(key, {}).setdefault(run.model, run)
    return [_comparison(list(group.values())) for group in groups.values() if len(group) > 1]


def _comparison(runs: Sequence[RunResult]) -> Comparison:
    usable = [run for run in runs if not _why_left_out(run)]
    quality = _common((QUALITIES,), usable)
    costs = _common(COSTS, usable)
    axes = (*quality, *costs)
    entries = []
    first_of: dict[object, str] = {}  # a model's digest with its figures: the name of the first that is compared
    for run in sorted(runs, key=lambda run: _order(run, axes)):
        why = _why_left_out(run)
        better = () if why else tuple(_name(other) for other in usable if _dominates(other, run, axes))
        digest = run.provenance.model_digest
        what = (digest, *(run.value(figure.name) for figure in axes))
        same_as = first_of.setdefault(what, _name(run)) if digest and not why else ""
        entries.append(Entry(_name(run), run, why, better, "" if same_as == _name(run) else same_as))
    first = runs[0]
    tools = f"{first.toolchain.name}, {first.emulator.name}"
    found = quality[0] if quality else None
    return Comparison(one_line(first.scenario), first.board, first.clock_hz, tools, found, costs, tuple(entries))


def _was_not_set_up(run: RunResult) -> bool:
    return any(finding.category is Category.SETUP for finding in run.findings)


def _name(run: RunResult) -> str:
    return one_line(run.model)


def _why_left_out(run: RunResult) -> str:
    """Why the figures of `run` say nothing: it did not run, or computed something else. A broken budget is no reason."""
    for finding in run.findings:
        if finding.verdict is Verdict.FAIL and finding.category not in (Category.BUDGET, Category.BASELINE):
            return finding.message.splitlines()[0]
        if finding.category is Category.SETUP:
            return finding.message.splitlines()[0]
    return "" if run.value("flash_bytes") is not None and run.value("instructions") is not None else "it was not run"


def _common(groups: Sequence[Sequence[str]], runs: Sequence[RunResult]) -> tuple[Figure, ...]:
    """Of each group the first figure that all `runs` have."""
    found = (
        next((name for name in names if runs and all(run.value(name) is not None for run in runs)), None)
        for names in groups
    )
    return tuple(FIGURES[name] for name in found if name is not None)


def _loss(run: RunResult, figure: Figure) -> float:
    """The value, turned so that less is better."""
    value = run.value(figure.name)
    assert value is not None
    return -value if figure.better is Better.MORE else value


def _dominates(one: RunResult, other: RunResult, axes: Sequence[Figure]) -> bool:
    pairs = [(_loss(one, figure), _loss(other, figure), _room(other, figure)) for figure in axes]
    return all(a <= b + room for a, b, room in pairs) and any(a < b - room for a, b, room in pairs)


def count_as_same(one: RunResult, other: RunResult, figure: Figure) -> bool:
    """Whether the two differ in `figure` by so little that neither is the better for it."""
    return abs(_loss(one, figure) - _loss(other, figure)) <= _room(other, figure)


def _room(run: RunResult, figure: Figure) -> float:
    """Within how much of its value a figure of `run` counts as the same."""
    return 0.0 if figure.better is Better.MORE else CLOSE * _loss(run, figure)


def _order(run: RunResult, axes: Sequence[Figure]) -> tuple[object, ...]:
    """Best quality first, then the slowest, so that the first is what the others were made smaller from."""
    if _why_left_out(run):
        return (1, run.model)
    quality = [_loss(run, figure) for figure in axes if figure.better is Better.MORE]
    return (0, *quality, *(-_loss(run, figure) for figure in axes if figure.better is Better.LESS), run.model)


def layer_pairs(reference: RunResult, run: RunResult) -> list[LayerPair]:
    """The layers of both in order: those with the same operator in the same place of the sequence belong together."""
    before, after = reference.layers, run.layers
    matcher = SequenceMatcher(None, [x.operator for x in before], [x.operator for x in after], autojunk=False)
    pairs: list[LayerPair] = []
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            pairs += [LayerPair(before[i + k], after[j + k]) for k in range(i_end - i)]
        else:
            pairs += [LayerPair(layer, None) for layer in before[i:i_end]]
            pairs += [LayerPair(None, layer) for layer in after[j:j_end]]
    return pairs


def table_figures(comparison: Comparison) -> list[Figure]:
    """The figures that the table shows, qualities first; those that no variant has are left out."""
    shown = by_tile(shown_in(Shown.VARIANTS))
    runs = [entry.run for entry in comparison.entries]
    known = [figure for figure in shown if any(run.value(figure.name) is not None for run in runs)]
    return sorted(known, key=lambda figure: figure.kind not in ("fraction", "decibels"))
