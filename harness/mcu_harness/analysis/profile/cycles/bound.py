"""The least cycles that a layer's multiplications need on a core: a bound for kernels, and an estimate.

Counted are multiplications, loads of operands and stores of outputs, each at what it costs the core (its cycle table), and
nothing else: no loops, no addresses, no extension of bytes to halfwords, no requantisation, no waits of memories. Every
multiplication makes two products: SMLAD and its like do with the DSP extension; without it two sums stand in the
halves of one register, where the layer's numbers allow. Loads bring words of four bytes. How often the same
operand is loaded follows from the registers: a block of channels and positions is summed up at once, which takes an
accumulator for each pair, and the block is the best that fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable
from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind
from mcu_harness.hardware.board import Board
from mcu_harness.model.layer_work import LayerWork

_PRODUCTS = 2  # of a multiplication
_WORD = 4
_LOAD, _MULTIPLY = Instruction(0, 4, Kind.LOAD), Instruction(4, 4, Kind.MULTIPLY_ADD)


@dataclass(frozen=True, slots=True)
class CoreLimits:
    """What a core needs at least: cycles of a multiplication with its addition, of loading and of storing a word.

    `dual`: loads and stores can start together with multiplications. `sums_per_register` many accumulators fit a register,
    and `products` products of operands of one byte come from a multiplication (`wide_products` of int16).
    """

    multiply_add: float
    load_word: float
    store_word: float
    dual: bool
    registers: int
    sums_per_register: int
    products: int
    wide_products: int


def core_limits(board: Board) -> CoreLimits | None:
    """The limits of the board's core; None where it has no cycle table."""
    if board.core.name not in CYCLE_TABLES:
        return None
    table = CYCLE_TABLES[board.core.name](board.multiplier_cycles)
    return CoreLimits(
        multiply_add=_multiply_add(table),
        load_word=_per_word(table, Kind.LOAD_MULTIPLE),
        store_word=_per_word(table, Kind.STORE_MULTIPLE),
        dual=table.pipeline is not None and table.pipeline.pairs(_LOAD, _MULTIPLY),
        registers=board.core.architecture.work_registers,
        sums_per_register=1 if board.has_dsp else _PRODUCTS,
        products=_PRODUCTS,
        wide_products=_PRODUCTS if board.has_dsp else 1,
    )


def bound_cycles(work: LayerWork, limits: CoreLimits) -> float:
    """The least cycles of `work` on a core with `limits`."""
    wide = work.input_bytes > 1
    multiplies = work.macs / (limits.wide_products if wide else limits.products) * limits.multiply_add
    moved = _loaded_words(work, limits) * limits.load_word + work.stored_bytes / _WORD * limits.store_word
    return max(multiplies, (multiplies + moved) / 2) if limits.dual else multiplies + moved


def _loaded_words(work: LayerWork, limits: CoreLimits) -> float:
    def words(input_uses: int, weight_uses: int) -> float:
        return work.macs / _WORD * (work.input_bytes / input_uses + 1 / weight_uses)

    if not work.outer:
        return words(work.input_uses, work.weight_uses)
    sums = 1 if work.input_bytes > 1 else limits.sums_per_register
    most = limits.registers * sums
    blocks = (
        (channels, positions)
        for channels, positions in product(
            range(1, min(most, work.input_uses) + 1), range(1, min(most, work.weight_uses) + 1)
        )
        if -(-channels * positions // sums) + min(channels, positions) + 1 <= limits.registers
    )
    return min(words(*block) for block in blocks)


def _multiply_add(table: CycleTable) -> float:
    """Cycles of a multiplication that adds to a sum: one instruction, or two where they are faster or all there is."""
    if table.pipeline is not None:
        return table.pipeline.timings[Kind.MULTIPLY_ADD].busy
    apart = table.costs[Kind.MULTIPLY].cycles + table.costs[Kind.ALU].cycles
    together = table.costs.get(Kind.MULTIPLY_ADD)
    return apart if together is None else min(apart, together.cycles)


def _per_word(table: CycleTable, kind: Kind) -> float:
    """Cycles of a word more in a load or store of several."""
    return table.pipeline.timings[kind].per_word if table.pipeline is not None else table.costs[kind].per_word
