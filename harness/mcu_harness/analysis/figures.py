"""Figures of a run, each with its unit and origin, and what contributes most to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.memory_fit import largest_symbols
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.analysis.profile.spread import CostSpread
from mcu_harness.base.units import format_hertz
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import Footprint, SymbolUse
from mcu_harness.image.program import Program
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Graph
from mcu_harness.model.planner import MemoryPlan
from mcu_harness.results.records import (
    ArenaBlock,
    BoardFacts,
    Contributor,
    LayerResult,
    Measurement,
    OutputCheck,
    RegionResult,
    SectionResult,
    Spread,
    StackArea,
    SymbolResult,
    Tool,
)
from mcu_harness.scenario.limits import METRICS, Budget

_ENERGY_ERROR = (
    "error not known: no energy was measured; that of the cycles comes on top of a current typical of other code"
)
_NOT_RUN = "not measured: the run did not finish"


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
    instructions = profiled.instructions if profiled else None
    cycles = profiled.cycles if profiled else None
    figures = [
        Measurement("instructions", instructions, "instructions", f"counted: {counted_by}"),
        Measurement("cycles", cycles, "cycles", profiled.cycles_origin if profiled else ""),
        Measurement(
            "latency_s",
            None if cycles is None else cycles / board.clock_hz,
            "s",
            f"estimated: the cycles above at {format_hertz(board.clock_hz)}",
        ),
        Measurement("flash_bytes", footprint.flash_bytes, "B", "ELF: all initial bytes, by address"),
        Measurement("ram_bytes", footprint.ram_bytes, "B", "ELF: .data, .bss and .noinit, the arena included"),
        Measurement(
            "stack_hwm_bytes", profiled.stack_hwm_bytes if profiled else None, "B", f"painted and scanned: {counted_by}"
        ),
        _energy(board, cycles),
        *own,
    ]
    if check.accuracy is not None:
        origin = f"{check.inputs} labelled inputs, firmware run: {counted_by}"
        figures.append(Measurement("accuracy", check.accuracy, "fraction", origin))
    if profiled is None:
        return {f.name: f if f.value is not None else replace(f, origin=_NOT_RUN) for f in figures}
    if cycles is None:  # a core without a table: latency has the same reason
        same = ("latency_s", "energy_j")
        figures = [
            replace(f, origin=profiled.cycles_origin) if f.name in same and _needs_cycles(f) else f for f in figures
        ]
    return {f.name: f for f in figures}


def model_figures(graph: Graph, memory: MemoryPlan, footprint: Footprint, sources: Sources) -> tuple[Measurement, ...]:
    """What is known of generated firmware without running it."""
    weights = sum(s.flash_bytes for s in footprint.symbols if _is_constant(s, sources))
    return (
        Measurement("arena_bytes", memory.arena_bytes, "B", "memory plan"),
        Measurement("arena_lower_bound_bytes", memory.lower_bound, "B", "memory plan: most live bytes of any layer"),
        Measurement("weights_bytes", weights, "B", "ELF: constants of layers"),
        Measurement("code_bytes", footprint.flash_bytes - weights, "B", "ELF: flash less the constants of layers"),
        Measurement("macs", graph.macs, "MAC", "model"),
    )


def _needs_cycles(measurement: Measurement) -> bool:
    """Whether it is only missing because there are no cycles."""
    return measurement.value is None and not measurement.origin.startswith("not measured")


def _energy(board: Board, cycles: float | int | None) -> Measurement:
    """Supply voltage x run current per Hz x cycles: the whole chip while it computes, not the board around it.

    In proportion to cycles, hence the same at every clock: what a datasheet gives per MHz. Leakage is in it only as far
    as that figure has it.
    """
    source = dict(board.sources).get("current", "")
    if board.current_a_per_hz is None or board.supply_v is None:
        why = f" ({source})" if source else ""
        return Measurement("energy_j", None, "J", f"not measured: the board file has no current{why}")
    current = f"{board.current_a_per_hz * 1e12:g} uA/MHz at {board.supply_v:g} V"
    joules = None if cycles is None or board.joules_per_cycle is None else board.joules_per_cycle * cycles
    return Measurement(
        "energy_j", joules, "J", f"estimated: {current} times the cycles above; {source}; {_ENERGY_ERROR}"
    )


def limits(budgets: Mapping[str, Budget]) -> dict[str, float]:
    """Budgets keyed by the measurement that they limit, for reports."""
    return {METRICS[key].measurement: budget.limit for key, budget in budgets.items()}


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


def layer_results(parts: Sequence[CodeRegion], profiled: Profile | None) -> tuple[LayerResult, ...]:
    """The per-layer table."""
    rows = []
    for index, part in enumerate(parts):
        cost = profiled.layers[index] if profiled else None
        spread = profiled.layer_spreads[index] if profiled and profiled.layer_spreads else CostSpread()
        rows.append(
            LayerResult(
                index=index,
                name=part.name,
                operator=part.operator,
                macs=part.macs,
                instructions=cost.instructions if cost else None,
                cycles=cost.cycles if cost else None,
                flash_bytes=part.flash_bytes,
                arena_bytes=part.arena_bytes,
                instructions_spread=spread.instructions,
                cycles_spread=spread.cycles,
                kernel=part.computed_by,
                kernel_refused=part.refused,
            )
        )
    return tuple(rows)


def spreads(profiled: Profile | None) -> dict[str, Spread]:
    """How instructions and cycles of the whole differ from input to input, where that is known."""
    if profiled is None:
        return {}
    known = {"instructions": profiled.spread.instructions, "cycles": profiled.spread.cycles}
    return {name: spread for name, spread in known.items() if spread is not None}


def model_regions(
    graph: Graph, memory: MemoryPlan, footprint: Footprint, sources: Sources, entries: Sequence[int]
) -> tuple[CodeRegion, ...]:
    """The layers of a model, made as `sources`, whose functions are at `entries`."""
    return tuple(
        CodeRegion(
            name=layer.name,
            operator=layer.operator,
            entries=(entries[layer.index],),
            macs=layer.macs,
            flash_bytes=footprint.layer_flash_bytes(layer.index),
            arena_bytes=memory.live_bytes[layer.index],
            computed_by=sources.layer_kernels[layer.index].kernel,
            refused=sources.layer_kernels[layer.index].refused,
        )
        for layer in graph.layers
    )


def memory_results(
    footprint: Footprint, board: Board
) -> tuple[tuple[RegionResult, ...], tuple[SectionResult, ...], tuple[SymbolResult, ...]]:
    """Regions, sections and symbols as records."""
    regions = tuple(
        RegionResult(r.region, r.kind, board.memory(r.region).origin, r.used, r.capacity, _role(r.region, board))
        for r in footprint.regions
    )
    sections = tuple(
        SectionResult(
            s.name, s.region, s.flash_bytes, s.ram_bytes, s.address, s.size_bytes, s.load_address, s.load_region
        )
        for s in footprint.sections
    )
    symbols = tuple(
        SymbolResult(s.name, s.section, s.region, s.flash_bytes, s.ram_bytes, s.layer) for s in footprint.symbols
    )
    return regions, sections, symbols


def _role(region: str, board: Board) -> str:
    return "+".join(role for role, name in (("code", board.code), ("data", board.data)) if name == region)


def arena_blocks(graph: Graph, memory: MemoryPlan) -> tuple[ArenaBlock, ...]:
    """Everything that lies in the arena at some time, by first use and offset."""
    blocks = [
        ArenaBlock(f"{index} {graph.tensors[index].name}", "tensor", p.offset, p.nbytes, p.first, p.last)
        for index, p in memory.tensors.items()
    ]
    blocks += [
        ArenaBlock(f"scratch of {graph.layers[layer].name}", "scratch", p.offset, p.nbytes, p.first, p.last)
        for layer, p in memory.scratch.items()
    ]
    return tuple(sorted(blocks, key=lambda block: (block.first, block.offset, block.name)))


def stack_area(program: Program) -> StackArea:
    """Where the linker script leaves room for the stack."""
    return StackArea(program.symbol("__stack_limit").address, program.symbol("__stack_top").address)


def board_facts(board: Board) -> BoardFacts:
    """What reports say of the board."""
    return BoardFacts(board.title, board.vendor, board.part, board.price_class)
