"""Figures of a run, each with its unit and origin, and what contributes most to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.memory_fit import largest_symbols
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.base import units
from mcu_harness.base.units import format_hertz
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import Footprint, SymbolUse
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Graph
from mcu_harness.model.planner import MemoryPlan
from mcu_harness.results.cost_records import Spread
from mcu_harness.results.origin import Origin, OriginKind, not_measured
from mcu_harness.results.records import Contributor, Measurement, OutputCheck, Tool
from mcu_harness.scenario.figure_catalogue import FIGURES, budgeted
from mcu_harness.scenario.limits import Budget

_ENERGY_ERROR = (
    "error not known: no energy was measured; that of the cycles comes on top of a current typical of other code"
)
_MOST_NAMED = 8  # layers in an origin
_NOT_RUN = not_measured("the run did not finish")


def measurements(
    board: Board,
    footprint: Footprint,
    profiled: Profile | None,
    check: OutputCheck,
    emulator: Tool,
    own: Iterable[Measurement],
) -> dict[str, Measurement]:
    """All figures, `own` ones of the firmware included; what a run did not yield has value None and says why."""
    counted_by = f"{emulator.name} {emulator.version}"
    figures = [
        Measurement.of("flash_bytes", footprint.flash_bytes, Origin(OriginKind.ELF, "all initial bytes, by address")),
        Measurement.of(
            "ram_bytes", footprint.ram_bytes, Origin(OriginKind.ELF, ".data, .bss and .noinit, the arena included")
        ),
        *(_of_run(board, profiled, counted_by) if profiled else _not_run()),
        *own,
    ]
    if scores := {
        name: value for name, value in (("accuracy", check.accuracy), *check.scores.items()) if value is not None
    }:
        seen = f"{check.labelled} labelled inputs, firmware run: {counted_by}"
        if check.labelled > check.inputs:
            seen = f"{check.labelled} labelled inputs, by {check.oracle}; of the first {check.inputs} the firmware's are equal"
        origin = Origin(OriginKind.OBSERVED, seen)
        figures += [Measurement.of(name, value, origin) for name, value in scores.items()]
    if profiled is None:
        figures = [f if f.value is not None else Measurement.of(f.name, None, _NOT_RUN) for f in figures]
    return {f.name: f for f in figures}


def score_details(check: OutputCheck, name: str) -> tuple[str, ...]:
    """Of a score that breaks its budget: whether the oracle does as badly, and what is taken for something else."""
    mine = check.accuracy if name == "accuracy" else check.scores.get(name)
    theirs = check.oracle_accuracy if name == "accuracy" else check.oracle_scores.get(name)
    if mine is None or theirs is None:
        return ()
    shown = units.format_value(theirs, FIGURES[name].unit)
    whose = f"{check.oracle} gets {shown} on the same samples"
    if theirs == mine:
        whose = f"{check.oracle} gets the same, {shown}: it is the model, and not the firmware"
    of = f"of {check.labelled} samples"
    return (whose, *(f"{c.samples} {of}: class {c.label} taken for {c.taken_for}" for c in check.confusions))


def _not_run() -> list[Measurement]:
    names = ("instructions", "cycles", "latency_s", "stack_hwm_bytes", "energy_j")
    return [Measurement.of(name, None, _NOT_RUN) for name in names]


def _of_run(board: Board, profiled: Profile, counted_by: str) -> list[Measurement]:
    """What only a run can tell. Without cycles, what follows from them is missing for the same reason."""
    cycles = profiled.cycles
    latency_s, at_clock = None, profiled.cycles_origin
    if cycles is not None:
        latency_s = cycles / board.clock_hz
        at_clock = Origin(OriginKind.ESTIMATED, f"the cycles at {format_hertz(board.clock_hz)}")
    return [
        Measurement.of("instructions", profiled.instructions, Origin(OriginKind.COUNTED, counted_by)),
        Measurement.of("cycles", cycles, profiled.cycles_origin),
        Measurement.of("latency_s", latency_s, at_clock),
        Measurement.of(
            "stack_hwm_bytes",
            profiled.stack_hwm_bytes,
            not_measured("no stack was painted")
            if profiled.stack_hwm_bytes is None
            else Origin(OriginKind.SCANNED, counted_by),
        ),
        _energy(board, profiled),
    ]


def model_figures(graph: Graph, memory: MemoryPlan, footprint: Footprint, sources: Sources) -> tuple[Measurement, ...]:
    """What is known of generated firmware without running it."""
    weights = sum(s.flash_bytes for s in footprint.symbols if _is_constant(s, sources))
    return (
        Measurement.of("arena_bytes", memory.arena_bytes, Origin(OriginKind.PLAN)),
        Measurement.of(
            "arena_lower_bound_bytes", memory.lower_bound, Origin(OriginKind.PLAN, "most live bytes of any layer")
        ),
        Measurement.of("weights_bytes", weights, Origin(OriginKind.ELF, "constants of layers")),
        Measurement.of(
            "code_bytes",
            footprint.flash_bytes - weights,
            Origin(OriginKind.ELF, "flash less the constants of layers"),
        ),
        Measurement.of("macs", graph.macs, Origin(OriginKind.MODEL)),
        Measurement.of("spared_macs", graph.spared_macs, Origin(OriginKind.MODEL, _spared(graph))),
    )


def _spared(graph: Graph) -> str:
    """How many multiply-accumulates the model has, and which of its layers are not computed at all."""
    gone = [layer.place for layer in graph.removed]
    named = ", ".join(gone[:_MOST_NAMED]) + (f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else "")
    whole = f"of {graph.macs + graph.spared_macs:,} in the model"
    return f"{whole}; not computed at all: {named}" if gone else whole


def _energy(board: Board, profiled: Profile) -> Measurement:
    """Supply voltage x run current per Hz x cycles: the whole chip while it computes, not the board around it.

    In proportion to cycles, hence the same at every clock: what a datasheet gives per MHz. Leakage is in it only as far
    as that figure has it.
    """
    source = dict(board.sources).get("current", "")
    if board.current_a_per_hz is None or board.supply_v is None or board.joules_per_cycle is None:
        why = f" ({source})" if source else ""
        return Measurement.of("energy_j", None, not_measured(f"the board file has no current{why}"))
    if profiled.cycles is None:
        return Measurement.of("energy_j", None, profiled.cycles_origin)
    current = f"{board.current_a_per_hz * 1e12:g} uA/MHz at {board.supply_v:g} V"
    origin = Origin(OriginKind.ESTIMATED, f"{current} times the cycles; {source}; {_ENERGY_ERROR}")
    return Measurement.of("energy_j", board.joules_per_cycle * profiled.cycles, origin)


def limits(budgets: Mapping[str, Budget]) -> dict[str, float]:
    """Budgets keyed by the measurement that they limit, for reports."""
    named = budgeted()
    return {named[key].name: budget.limit for key, budget in budgets.items()}


def _is_constant(symbol: SymbolUse, sources: Sources) -> bool:
    """Whether `symbol` is a constant of a layer and not its function."""
    return symbol.layer is not None and symbol.name.startswith(sources.layer_symbols[symbol.layer] + "_")


def contributors(
    footprint: Footprint, profiled: Profile | None, parts: Sequence[CodeRegion], board: Board
) -> dict[str, tuple[Contributor, ...]]:
    """What takes most of each figure, largest first, keyed by measurement name."""
    found = {
        "flash_bytes": largest_symbols(footprint, "flash"),
        "ram_bytes": largest_symbols(footprint, "ram"),
        "arena_bytes": _largest((_title(part), part.arena_bytes or 0) for part in parts),
    }
    if profiled is None:
        return found
    if parts:
        names = [_title(part) for part in parts]
        costs = [(layer.instructions, layer.cycles or 0) for layer in profiled.layers]
    else:
        names = [function.name for function in profiled.functions]
        costs = [(function.self_instructions, function.self_cycles or 0) for function in profiled.functions]
    cycles = [cost[1] for cost in costs]
    found["instructions"] = _largest(zip(names, [cost[0] for cost in costs], strict=True))
    found["cycles"] = _largest(zip(names, cycles, strict=True))
    found["latency_s"] = _largest(zip(names, [value / board.clock_hz for value in cycles], strict=True))
    if board.joules_per_cycle is not None:
        joules = [value * board.joules_per_cycle for value in cycles]
        found["energy_j"] = _largest(zip(names, joules, strict=True))
    return found


def _title(part: CodeRegion) -> str:
    return f"layer {part.name}"


def _largest(parts: Iterable[tuple[str, float | int]]) -> tuple[Contributor, ...]:
    ordered = sorted(parts, key=lambda part: (-part[1], part[0]))
    return tuple(Contributor(name, value) for name, value in ordered if value)


def spreads(profiled: Profile | None) -> dict[str, Spread]:
    """How instructions and cycles of the whole differ from input to input, where that is known."""
    if profiled is None:
        return {}
    known = {"instructions": profiled.spread.instructions, "cycles": profiled.spread.cycles}
    return {name: spread for name, spread in known.items() if spread is not None}
