"""One run as the page's templates need it: rows that are ready to print, in the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mcu_harness.base import units
from mcu_harness.results import comparison
from mcu_harness.results.board_matrix import Fit
from mcu_harness.results.cost_records import FunctionResult, LayerResult
from mcu_harness.results.memory_records import SymbolResult
from mcu_harness.results.records import Contributor, FigureChange, Finding, RunResult, Verdict
from mcu_harness.results.report import (
    accesses_section,
    cycle_parts_section,
    heap_section,
    input_spread,
    placement_section,
    spared_section,
    stack_section,
    text,
    what_if_section,
)
from mcu_harness.results.report.html.figure_tiles import ShownFigure, figures, tiles
from mcu_harness.results.report.html.memory_map import RegionMap, memory_map
from mcu_harness.scenario.figure_catalogue import FIGURES

# Rows of what the page draws in full elsewhere; the rest is one line that says how much it is.
_MOST_FUNCTIONS = 40
_MOST_SYMBOLS = 40
_MOST_CONTRIBUTORS = 8
_MOST_MOVED = 4
_MOST_BLOCKS = 200
_MOST_OBJECTS = 60


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer with what can be said of it beyond its record; None where it was not measured."""

    layer: LayerResult
    share: float | None
    cycles_per_mac: float | None
    cycles_per_instruction: float | None
    energy_j: float | None
    spread: tuple[str, str, str]  # over inputs: minimum, median, maximum
    channels: str  # "22 of 256", "" for all


@dataclass(frozen=True, slots=True)
class Part:
    """A contributor in words: its amount and its share of the whole, "" where that says nothing."""

    name: str
    amount: str
    share: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A figure against its baseline, in words and units; `moved` are the parts that changed most."""

    title: str
    before: str
    after: str
    change: str
    moved: str


@dataclass(frozen=True)
class RunView:
    """A run on the page. `anchor` is its place in the address bar, `number` its data's."""

    run: RunResult
    fit: Fit
    anchor: str
    number: int

    @property
    def case(self) -> str:
        return self.run.case_name

    @property
    def outputs(self) -> str:
        return text.outputs_text(self.run)

    @cached_property
    def figures(self) -> list[ShownFigure]:
        return figures(self.run, self.fit)

    @property
    def tiles(self) -> list[ShownFigure]:
        return tiles(self.figures)

    @property
    def urgent(self) -> list[Finding]:
        """What someone has to act on."""
        return [finding for finding in self.run.findings if finding.verdict is not Verdict.PASS]

    @property
    def memory(self) -> list[RegionMap]:
        return memory_map(self.run)

    @property
    def changes(self) -> list[ChangeRow]:
        """What changed against the baseline, as `compare` and the terminal say it."""
        return [_change_row(change) for change in self.run.baseline.changes] if self.run.baseline else []

    @property
    def layers(self) -> list[LayerRow]:
        total = sum(layer.cycles or 0 for layer in self.run.layers)
        return [
            LayerRow(
                layer,
                _ratio(layer.cycles, total),
                _ratio(layer.cycles, layer.macs),
                _ratio(layer.cycles, layer.instructions),
                text.layer_energy_j(self.run, layer),
                input_spread.triple(input_spread.layer_spread(layer)),
                spared_section.channels(layer),
            )
            for layer in self.run.layers
        ]

    @property
    def cycle_parts(self) -> tuple[list[str], list[list[str]], int, str] | None:
        """Titles and rows of what the cycles of layers go into, how many columns are texts, and what it means."""
        if not cycle_parts_section.is_known(self.run):
            return None
        titles, rows = cycle_parts_section.table(self.run)
        return titles, rows, cycle_parts_section.texts_in(self.run), cycle_parts_section.ABOUT

    @property
    def what_ifs(self) -> tuple[list[str], list[list[str]]]:
        """Titles and rows of the table of what-ifs."""
        return what_if_section.table(self.run)

    @property
    def what_ifs_explained(self) -> list[str]:
        return what_if_section.explained(self.run)

    @property
    def has_energy(self) -> bool:
        return self.run.value("energy_j") is not None

    @property
    def has_ratios(self) -> bool:
        return text.has_ratios(self.run)

    @property
    def has_fewer_channels(self) -> bool:
        return spared_section.any_channels(self.run)

    @property
    def placed(self) -> list[str]:
        """What lies elsewhere than usual, and what that gave."""
        return placement_section.lines(self.run)

    @property
    def spared(self) -> tuple[str, list[str]]:
        """What is not computed of the model: of the whole, "" for nothing, and by layer."""
        return spared_section.sentence(self.run), spared_section.lines(self.run)

    @property
    def differing(self) -> str:
        """What differs between inputs, "cycles" or "instructions"; "" where nothing does."""
        return input_spread.what_differs(self.run) if input_spread.differ(self.run) else ""

    @property
    def inputs_sentence(self) -> str:
        return input_spread.sentence(self.run)

    @property
    def functions(self) -> list[FunctionResult]:
        """Those that cost most by themselves."""
        found = sorted(self.run.functions, key=lambda f: (-(f.self_cycles or f.self_instructions), f.name))
        return found[:_MOST_FUNCTIONS]

    @property
    def symbols(self) -> list[SymbolResult]:
        """The largest."""
        found = sorted(self.run.symbols, key=lambda s: (-max(s.flash_bytes, s.ram_bytes), s.name))
        return found[:_MOST_SYMBOLS]

    @property
    def blocks(self) -> list[tuple[str, str, int, int, int, int]]:
        """What lies in the arena: name, kind, offset, bytes, first and last layer; the largest."""
        found = sorted(self.run.arena, key=lambda b: (-b.nbytes, b.offset, b.name))[:_MOST_BLOCKS]
        return [(b.name, b.kind, b.offset, b.nbytes, b.first, b.last) for b in found]

    @property
    def access_tables(self) -> list[tuple[str, tuple[str, ...], int, list[accesses_section.Row], int]]:
        """Title, column titles and how many of them are words, rows, and how many rows more there are."""
        objects, more_objects = accesses_section.by_object(self.run, _MOST_OBJECTS)
        tensors, more_tensors = accesses_section.by_tensor(self.run, _MOST_BLOCKS)
        found = [
            ("By layer and memory", accesses_section.LAYER_TITLES, 2, accesses_section.by_layer(self.run), 0),
            ("By what was accessed", accesses_section.OBJECT_TITLES, 3, objects, more_objects),
            ("Of the arena, by layer", accesses_section.TENSOR_TITLES, 2, tensors, more_tensors),
        ]
        return [table for table in found if table[3]]

    @property
    def stack_room(self) -> int | None:
        area = self.run.stack_area
        return area.top - area.limit if area else None

    @property
    def stack_paths(self) -> list[tuple[str, list[stack_section.Row], tuple[str, ...]]]:
        """Title, calls from the outermost inwards, and what is not in it: of what ran, and of what could."""
        use = self.run.stack
        if use is None:
            return []
        found: list[tuple[str, list[stack_section.Row], tuple[str, ...]]] = []
        if use.path:
            found.append((stack_section.measured_title(use), stack_section.rows(use.path), ()))
        if use.static_path:
            path = stack_section.rows(use.static_path) if stack_section.shows_static_path(use) else []
            found.append((stack_section.static_title(use), path, use.open_ends))
        return found

    @property
    def heap(self) -> str:
        """The heap over time in a sentence, "" where it was not asked for."""
        return heap_section.sentence(self.run.heap) if self.run.heap else ""

    @property
    def heap_chart(self) -> tuple[int, int, str]:
        """Width, height and points of its course."""
        use = self.run.heap
        return heap_section.WIDTH, heap_section.HEIGHT, heap_section.chart_path(use) if use and use.course else ""

    @property
    def task_stacks(self) -> list[stack_section.Row]:
        """Name, bytes used and size of each task's stack."""
        return stack_section.task_rows(self.run.stack) if self.run.stack else []

    def parts(self, finding: Finding) -> list[Part]:
        """What contributes most to a finding; of a change, what moved, with its sign."""
        total = finding.measured or sum(item.value for item in finding.contributors)
        return [_part(item, finding, total) for item in finding.contributors[:_MOST_CONTRIBUTORS]]

    @property
    def provenance(self) -> list[tuple[str, str]]:
        """What the numbers depend on, as pairs of a title and a value."""
        run, made = self.run, self.run.provenance
        pairs = [
            ("emulator", text.tool(run.emulator)),
            ("compiler", text.tool(run.toolchain)),
            ("flags", " ".join(run.toolchain.flags)),
            ("kernels", made.kernel_set),
            ("cycle model", made.cycle_model or text.NOT_MEASURED),
            ("rounding", run.outputs.rounding),
            ("model", f"{run.model}, {units.format_count(made.model_bytes)} B, sha256 {made.model_digest[:16]}"),
            ("converted from", text.converted_from(made)),
            ("board file", f"sha256 {made.board_digest[:16]}"),
            ("scenario", " ".join(x for x in (run.scenario_path, _digest(made.scenario_digest)) if x)),
            ("build", made.build_id[:16]),
            ("commit", made.commit[:12]),
            ("mcu-harness", made.harness_version),
        ]
        return [(title, value) for title, value in pairs if value.strip()]


def _digest(value: str) -> str:
    return f"sha256 {value[:16]}" if value else ""


def _part(item: Contributor, finding: Finding, total: float) -> Part:
    if finding.baseline is not None:
        return Part(item.name, units.format_change(item.value, finding.unit), "")
    amount = units.format_value(item.value, finding.unit)
    return Part(item.name, amount, f"{item.value / total * 100:.1f} %" if total else "")


def _change_row(change: FigureChange) -> ChangeRow:
    before, after = (comparison.value_text(value, change.figure) for value in (change.before, change.after))
    moved = (f"{part.name} ({comparison.delta_text(part.value, change.figure)})" for part in change.moved[:_MOST_MOVED])
    unit = " B" if FIGURES[change.figure].unit == "B" else ""
    return ChangeRow(
        comparison.figure_name(change.figure),
        before + unit,
        after + unit,
        comparison.share_text(change),
        ", ".join(moved),
    )


def _ratio(value: float | int | None, base: float | int | None) -> float | None:
    return None if value is None or not base else value / base


def run_views(fits: dict[tuple[str, str], Fit]) -> list[RunView]:
    """A view a run, with anchors that are unique, short and plain: "keyword_spotting@nucleo_l4r5zi"."""
    views: list[RunView] = []
    taken: set[str] = set()
    for number, ((case, board), fit) in enumerate(fits.items()):
        plain = f"{_plain(case)}@{_plain(board)}"
        anchor, copy = plain, 2
        while anchor in taken:
            anchor, copy = f"{plain}~{copy}", copy + 1
        taken.add(anchor)
        views.append(RunView(fit.run, fit, anchor, number))
    return views


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "-" for c in name)
