"""Tables of a run beside its figures, as records: layers, memory by region, section and symbol, the arena, the board."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.analysis.profile.spread import CostSpread
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import Footprint
from mcu_harness.image.program import Program
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.planner import MemoryPlan
from mcu_harness.results.cost_records import LayerResult, Spared
from mcu_harness.results.memory_records import ArenaBlock, RegionResult, SectionResult, StackArea, SymbolResult
from mcu_harness.results.records import BoardFacts


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
            spared=_spared(graph, layer),
        )
        for layer in graph.layers
    )


def _spared(graph: Graph, layer: Layer) -> Spared | None:
    output = graph.tensors[layer.outputs[0]]
    if output.channels is None and not layer.spared_macs and not layer.merged:
        return None
    total = output.channels.total if output.channels else output.shape[-1] if output.shape else 1
    return Spared(total, output.channels.removed if output.channels else (), layer.spared_macs, layer.merged)


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
                sqnr_db=part.sqnr_db,
                spared=part.spared,
                cycle_parts=profiled.layer_parts[index] if profiled and profiled.layer_parts else None,
                bound_cycles=part.bound_cycles,
            )
        )
    return tuple(rows)


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
