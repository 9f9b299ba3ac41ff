"""Cycle models against cycles counted by hand from Arm's tables and the rules of the pipelines."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable
from mcu_harness.analysis.profile.cycles.pricing import price
from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.core import CORES
from sample_boards import FLASH, board
from thumb_code import BX_LR, NOP, CodeMemory, branch, branch_if_not_equal, call

AT = FLASH + 0x100
Blocks = list[tuple[int, int]]


def record(memory: CodeMemory, blocks: Blocks) -> BlockCounts:
    recorder = BlockRecorder(memory.read)
    recorder.begin(blocks[0][0])
    recorder.add(np.array(blocks, np.uint32))
    return recorder.counts()


def cycles(on: Board, memory: CodeMemory, blocks: Blocks) -> float:
    counts = record(memory, blocks)
    prices = price(counts, on)
    assert prices is not None
    return float((counts.edge_count * prices.edge_cycles).sum())


def straight(core: str, code: str, at: int = AT) -> float:
    """Cycles of straight-line code, as the start of a window."""
    memory = CodeMemory()
    memory.put(at, bytes.fromhex(code))
    return cycles(replace(board(core), multiplier_cycles=32), memory, [(at, len(bytes.fromhex(code)))])


# ldr r2,[r1] = 0a68, subs r0,#1 = 0138
def loop(core: str, turns: int) -> float:
    """movs r0,#n; loop: ldr r2,[r1]; subs r0,#1; bne loop; nop."""
    memory = CodeMemory()
    memory.put(AT, bytes.fromhex("0a20 0a68 0138"), branch_if_not_equal(AT + 6, AT + 2), NOP)
    return cycles(board(core), memory, [(AT, 8), *[(AT + 2, 6)] * (turns - 1), (AT + 8, 2)])


@pytest.mark.parametrize(
    ("core", "turn", "taken"),
    [
        ("cortex-m0", 2 + 1 + 1, 2),
        ("cortex-m0+", 2 + 1 + 1, 1),
        ("cortex-m3", 2 + 1 + 1, 2),  # the flags are set right before the branch; its target is not word-aligned
        ("cortex-m4", 2 + 1 + 1, 2),
    ],
)
def test_a_loop_costs_its_turns_and_its_taken_branches(core: str, turn: int, taken: int) -> None:
    assert loop(core, 10) == 1 + 10 * turn + 9 * taken + 1


@pytest.mark.parametrize(
    ("code", "m0", "m0plus"),
    [
        ("0131 0a68 0a60", 1 + 2 + 2, 1 + 2 + 2),  # adds r1,#1; ldr; str
        ("4843", 32, 32),  # muls, on a part with the small multiplier
        ("0ec8", 1 + 3, 1 + 3),  # ldm r0!,{r1,r2,r3}
        ("30b5", 1 + 3, 1 + 3),  # push {r4,r5,lr}
        ("eff31080", 4, 3),  # mrs r0,primask
        ("bff34f8f", 4, 3),  # dsb
    ],
)
def test_straight_code_on_armv6_m(code: str, m0: int, m0plus: int) -> None:
    assert straight("cortex-m0", code) == m0
    assert straight("cortex-m0+", code) == m0plus


@pytest.mark.parametrize(
    ("core", "call_cycles", "return_cycles"),
    [("cortex-m0", 4, 3), ("cortex-m0+", 3, 2), ("cortex-m4", 2, 3)],
)
def test_a_call_and_its_return(core: str, call_cycles: int, return_cycles: int) -> None:
    memory = CodeMemory()
    memory.put(AT, call(AT, AT + 0x40), NOP)
    memory.put(AT + 0x40, NOP, BX_LR)
    assert cycles(board(core), memory, [(AT, 4), (AT + 0x40, 4), (AT + 4, 2)]) == call_cycles + 1 + return_cycles + 1


@pytest.mark.parametrize(("core", "pop"), [("cortex-m0", 4 + 3), ("cortex-m0+", 3 + 3), ("cortex-m4", 1 + 3 + 4)])
def test_a_return_by_pop(core: str, pop: int) -> None:
    memory = CodeMemory()
    memory.put(AT, NOP, bytes.fromhex("30bd"))  # pop {r4,r5,pc}
    memory.put(AT + 0x40, NOP)
    assert cycles(board(core), memory, [(AT, 4), (AT + 0x40, 2)]) == 1 + pop + 1


@pytest.mark.parametrize(
    ("what", "code", "expected"),
    [
        ("two loads pair", "0a68 4b68", 2 + 1),
        ("three loads pair", "0a68 4b68 0a78", 2 + 1 + 1),
        ("loads with write-back pair", "51f8042b 51f8043b", 2 + 1),
        ("an address that was just loaded does not pair", "0968 4b68", 2 + 2),
        ("a store of what was just loaded", "0a68 0260", 2 + 1 + 1),
        ("a store of something else after a load", "0a68 0360", 2 + 1),
        ("a load after a store", "0260 0b68", 1 + 2 + 1),
        ("an address that was just computed", "0431 0a68", 1 + 2 + 2),
        ("an address that was computed one before", "0431 00bf 0a68", 1 + 1 + 2),
        ("a store with register offset", "4250", 2),
        ("multiple and double transfers", "0ec8 d2e90001", 4 + 3),
        ("multiplications", "01fb0230 82fb0301 c2fb0301 21fb0230 4843", 5),
        ("a division", "b1fbf2f0", 8),
        ("IT in the second half of a word folds", "00bf 08bf 0846", 1 + 0 + 1),
        ("IT in the first half of a word does not", "08bf 0846", 1 + 1),
        ("a literal", "0148", 2),
        ("two straddling 32-bit instructions", "00bf 00eb0100 00eb0100", 3),
        ("three straddling 32-bit instructions", "00bf 00eb0100 00eb0100 00eb0100", 4 + 1),
        ("four straddling 32-bit instructions", "00bf 00eb0100 00eb0100 00eb0100 00eb0100", 5 + 1),
        ("three with a load among the first two", "00bf 00eb0100 d1f80020 00eb0100", 1 + 1 + 2 + 1),
        ("three 32-bit instructions in words of their own", "00eb0100 00eb0100 00eb0100", 3),
        ("float", "30ee810a a0ee810a 80ee810a 10ee100a", 1 + 3 + 14 + 1),
        ("float transfers", "90ed000a 00bf 90ed000b 2ded048a", 2 + 1 + 3 + 5),
    ],
)
def test_rules_of_the_cortex_m4(what: str, code: str, expected: float) -> None:
    assert straight("cortex-m4", code) == expected, what


def branch_cost(core: str, before: str, target: int, target_code: bytes) -> float:
    """Cycles of a taken bne, behind `before` in straight code, without the instructions around it."""
    memory = CodeMemory()
    start = bytes.fromhex(before)
    memory.put(AT, start, branch_if_not_equal(AT + len(start), target))
    memory.put(target, target_code)
    blocks = [(AT, len(start) + 2), (target, len(target_code))]
    alone = straight(core, before) + straight(core, target_code.hex(), target)
    return cycles(board(core), memory, blocks) - alone


def test_a_branch_on_flags_that_were_just_set_is_late_on_the_cortex_m4() -> None:
    compare, wide = "8842", bytes.fromhex("00eb0100")
    assert branch_cost("cortex-m4", compare, AT + 0x42, NOP) == 1 + 2
    assert branch_cost("cortex-m4", f"{compare} 00bf", AT + 0x42, NOP) == 1 + 1
    assert branch_cost("cortex-m4", compare, AT + 0x40, NOP) == 1 + 1  # a word-aligned 16-bit target hides it
    assert branch_cost("cortex-m4", compare, AT + 0x40, wide) == 1 + 2
    # A target that lies in two words: early branches find half of the time that it has come.
    assert branch_cost("cortex-m4", "00bf", AT + 0x42, wide) == 1 + 1 + 0.5
    assert branch_cost("cortex-m4", compare, AT + 0x42, wide) == 1 + 2 + 1


def test_an_instruction_that_an_if_then_block_skips_takes_a_cycle() -> None:
    assert straight("cortex-m4", "0020 08bf 0846 18bf 0846") == straight("cortex-m4", "0020 08bf 00bf 18bf 00bf")


def test_the_first_instruction_after_a_branch_pairs_with_nothing() -> None:
    memory = CodeMemory()
    memory.put(AT, bytes.fromhex("0a68 4b68"), branch(AT + 4, AT + 2))
    # Falling in, the second load costs 1; branched to, 2, and 2 for the branch.
    once, twice = [(AT, 6)], [(AT, 6), (AT + 2, 4)]
    assert cycles(board(), memory, once) == 2 + 1 + 1
    assert cycles(board(), memory, twice) == (2 + 1 + 1) + 1 + (2 + 1)


def test_cycles_do_not_depend_on_where_blocks_are_cut() -> None:
    code = bytes.fromhex("0a68 4b68 0260 0b68 0431 0a68 00eb0100 00eb0100 00eb0100 08bf 0846 b1fbf2f0 0a68")
    cuts = [0, 2, 4, 6, 8, 10, 12, 16, 20, 24, 26, 28, 32, 34]
    rng = np.random.default_rng(5)
    slow = board(memories=tuple(replace(m, wait_states=3, cache="prefetch", fetch_bytes=8) for m in board().memories))
    for core in ("cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"):
        for on in (board(core), replace(slow, core=CORES[core])):
            found = set()
            for _ in range(10):
                memory = CodeMemory()
                memory.put(AT, code)
                inner = sorted(rng.choice(cuts[1:-1], rng.integers(0, 6), replace=False).tolist())
                edges = [0, *inner, len(code)]
                found.add(cycles(on, memory, [(AT + a, b - a) for a, b in itertools.pairwise(edges)]))
            assert len(found) == 1


@pytest.mark.parametrize("core", CYCLE_TABLES)
def test_every_figure_of_a_table_names_its_source(core: str) -> None:
    table = CYCLE_TABLES[core](1)
    assert isinstance(table, CycleTable)
    figures = [*table.costs.values(), *table.refill.values(), table.load_pc, *table.exceptions.all]
    assert all(len(figure.source) > 10 for figure in figures)
    assert all(rule.name and rule.source for rule in (*table.neighbour_rules, *table.branch_rules))
    assert table.core == core


def test_a_core_without_a_table_has_no_cycles() -> None:
    memory = CodeMemory()
    memory.put(AT, NOP)
    assert price(record(memory, [(AT, 2)]), board("cortex-m23")) is None


# Two handlers, at AT + 0x40 and AT + 0x80, each one instruction; what they interrupt goes on at AT + 2.
FIRST, SECOND, STACK = AT + 0x40, AT + 0x80, 0x20001000
VADD = bytes.fromhex("30ee000a")  # vadd.f32 s0, s0, s0


def interrupted(
    core: str, *, chained: bool = False, nested: bool = False, floats: bool = False, vadd: bool = False
) -> float:
    """Cycles of two instructions with a handler between them, and another one after the first or within it."""
    memory = CodeMemory()
    memory.put(AT, NOP, NOP)
    memory.put(FIRST, VADD if vadd else NOP)
    memory.put(SECOND, NOP)
    recorder = BlockRecorder(memory.read)

    def run(address: int, size: int = 2) -> None:
        recorder.add(np.array([(address, size)], np.uint32))

    recorder.begin(AT)
    run(AT)
    recorder.exceptions.enter(FIRST, AT + 2, STACK, floats)
    run(FIRST, 4 if vadd else 2)
    if nested:
        recorder.exceptions.enter(SECOND, FIRST + 2, STACK - 0x20, False)
        run(SECOND)
        recorder.exceptions.leave(FIRST + 2, STACK - 0x20)
    recorder.exceptions.leave(AT + 2, STACK)
    if chained:
        recorder.exceptions.enter(SECOND, AT + 2, STACK, floats)
        run(SECOND)
        recorder.exceptions.leave(AT + 2, STACK)
    run(AT + 2)
    counts = recorder.counts()
    prices = price(counts, board(core))
    assert prices is not None
    return float((counts.edge_count * prices.core_cycles).sum())


@pytest.mark.parametrize(("core", "entry", "leave", "chain"), [("cortex-m4", 12, 12, 6), ("cortex-m0+", 15, 15, 7.5)])
def test_exceptions_cost_entry_and_return_and_less_when_one_follows_another(
    core: str, entry: float, leave: float, chain: float
) -> None:
    assert interrupted(core) == 3 + entry + leave
    assert interrupted(core, chained=True) == 4 + entry + chain + leave
    assert interrupted(core, nested=True) == 4 + 2 * (entry + leave)


def test_floating_point_registers_are_kept_where_there_are_any_and_the_handler_uses_the_fpu() -> None:
    plain = interrupted("cortex-m4")
    assert interrupted("cortex-m4", floats=True) == plain
    assert interrupted("cortex-m4", vadd=True) == plain
    assert interrupted("cortex-m4", floats=True, vadd=True) == plain + 2 * 17


def flash(waits: int, cache: str, fetch: int = 8, **more: int) -> Board:
    kind = board("cortex-m0+")
    code = replace(kind.memories[0], wait_states=waits, cache=cache, fetch_bytes=fetch, **more)  # type: ignore[arg-type]
    return replace(kind, memories=(code, *kind.memories[1:]))


def test_without_a_cache_each_line_that_is_come_to_costs_the_wait_states() -> None:
    memory = CodeMemory()
    memory.put(AT, NOP * 16)
    assert cycles(flash(2, "none"), memory, [(AT, 32)]) == 16 + 4 * 2
    assert cycles(flash(2, "none", fetch=4), memory, [(AT, 32)]) == 16 + 8 * 2


def test_prefetch_hides_what_the_line_before_takes_to_execute() -> None:
    memory = CodeMemory()
    memory.put(AT, NOP * 16)
    assert cycles(flash(2, "prefetch"), memory, [(AT, 32)]) == 16 + 2  # four cycles a line hide two
    assert cycles(flash(5, "prefetch"), memory, [(AT, 32)]) == 16 + 5 + 3 * (5 + 1 - 4)


def test_a_loop_within_one_line_is_fetched_once() -> None:
    memory = CodeMemory()
    memory.put(AT, NOP, NOP, branch_if_not_equal(AT + 4, AT), NOP)
    assert cycles(flash(3, "none"), memory, [(AT, 6)] * 10) == 10 * 3 + 9 * 1 + 3


def test_lines_that_fit_the_cache_cost_nothing_and_the_dearest_stay() -> None:
    memory = CodeMemory()
    memory.put(AT, *[NOP] * 7, branch_if_not_equal(AT + 14, AT))  # two lines, ten times
    memory.put(AT + 0x40, NOP * 4)  # one line, once
    blocks = [(AT, 16)] * 10 + [(AT + 0x40, 8)]
    core_alone = cycles(flash(0, "none"), memory, blocks)
    assert cycles(flash(4, "art", cache_bytes=24, cache_line_bytes=8), memory, blocks) == core_alone
    assert cycles(flash(4, "art", cache_bytes=16, cache_line_bytes=8), memory, blocks) == core_alone + 4
    assert cycles(flash(4, "art"), memory, blocks) == core_alone  # a cache of unknown size holds all


def test_literals_cost_the_wait_states_where_nothing_caches_them() -> None:
    memory = CodeMemory()
    memory.put(AT, bytes.fromhex("0148 00bf"))  # ldr r0,[pc,#4]
    assert cycles(flash(2, "none"), memory, [(AT, 4)]) == 3 + 2 + 2
    assert cycles(flash(2, "art"), memory, [(AT, 4)]) == 3


def test_the_origin_says_that_reads_of_data_are_missing_where_they_were_not_traced() -> None:
    memory = CodeMemory()
    memory.put(AT, NOP)
    counts = record(memory, [(AT, 2)])
    plain, slow = price(counts, flash(0, "none")), price(counts, flash(2, "art"))
    assert plain is not None and slow is not None
    assert str(plain.origin).startswith("estimated: cycle-approximate, cortex-m0+ model 1, ")
    assert "reads of data" not in plain.origin.text and "reads of data are not in it" in slow.origin.text
    assert plain.model == "cortex-m0+ 1"


def test_code_that_is_entered_inside_an_instruction_is_priced_as_what_runs() -> None:
    memory = CodeMemory()
    memory.put(AT, bytes.fromhex("4ff00030 7047"))  # mov.w r0,#0, whose second half is adds r0,#0; bx lr
    assert cycles(board("cortex-m4"), memory, [(AT, 6), (AT + 2, 4)]) > 0
