"""Cortex-M33 and M7 against cycles counted by hand from the measurements that their pipelines are made from.

Source: jnk0le/random, pipeline cycle test, cortex_m33.md and cortex_m7.md.
"""

from __future__ import annotations

import pytest
from test_cycles import AT, cycles

from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.cores.cortex_m7 import _NARROW
from sample_boards import FLASH, board
from thumb_code import NOP, CodeMemory, branch_if_not_equal

ADD_W, MUL_W, SMLAD, LDR_W = "00eb0100", "00fb01f0", "21fb0200", "d1f80000"


def straight(core: str, code: str) -> float:
    """Cycles of straight-line code, as the start of a window."""
    memory = CodeMemory()
    memory.put(AT, bytes.fromhex(code))
    return cycles(board(core), memory, [(AT, len(bytes.fromhex(code)))])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (ADD_W * 4, 4),  # one a cycle, each needs the one before
        (f"{MUL_W} {ADD_W}", 3),  # the product is there after two cycles
        (SMLAD * 3, 3),  # sums of products chain
        (f"{LDR_W} {ADD_W}", 3),  # load to use: two cycles
        (f"{LDR_W} c1f80400", 2),  # str.w r0,[r1,#4]: a loaded value can be stored at once
        ("91e83d00", 5),  # ldm.w r1,{r0,r2,r3,r4,r5}: as many cycles as registers
        ("d1e90023", 2),  # ldrd r2,r3,[r1]
        ("4ff4e050 00f10100", 3),  # mov.w r0,#0x1c00; add.w r0,r0,#1: a shifted constant is there a cycle later
    ],
)
def test_cortex_m33_issues_one_instruction_a_cycle_and_waits_for_results(code: str, expected: float) -> None:
    assert straight("cortex-m33", code) == expected


def loop(core: str, body: str, turns: int) -> float:
    """body; subs r7,#1 (3f1f -> 013f); bne body."""
    memory = CodeMemory()
    code = bytes.fromhex(body)
    end = AT + len(code)
    memory.put(AT, code, branch_if_not_equal(end, AT), NOP)
    return cycles(board(core), memory, [(AT, len(code) + 2)] * turns)


def test_cortex_m33_takes_a_branch_in_two_cycles_after_flags_and_in_one_otherwise() -> None:
    # subs r7,#1; bne: 1 + 2 taken. subs r7,#1; add r0,r1; bne: 1 + 1 + 1 taken.
    after_flags = loop("cortex-m33", "013f", 11) - loop("cortex-m33", "013f", 10)
    assert after_flags == 3
    apart = loop("cortex-m33", "013f 0844", 11) - loop("cortex-m33", "013f 0844", 10)
    assert apart == 3


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("00eb0100 03eb0403", 1),  # two independent additions start together
        (ADD_W * 2, 2),  # a dependent one does not
        (f"{MUL_W} 03fb04f3", 2),  # one multiplication a cycle
        ("d1f80000 d2f80430", 1),  # ldr r0,[r1]; ldr r3,[r2,#4]: two banks
        ("d1f80000 d2f80030", 2),  # ldr r0,[r1]; ldr r3,[r2]: the same bank
        ("d1f80000 c2f80000", 1),  # str.w r0,[r2]: stores what is loaded in the same cycle
        ("c1f80000 c2f80030", 2),  # one store a cycle
        ("91e80d00", 2),  # ldm.w r1,{r0,r2,r3}: two words a cycle
    ],
)
def test_cortex_m7_starts_two_instructions_a_cycle_where_they_go_together(code: str, expected: float) -> None:
    assert straight("cortex-m7", code) == expected


def test_cortex_m7_pays_for_16_bit_instructions_by_the_average_that_was_measured() -> None:
    assert straight("cortex-m7", "0844") == 1 + _NARROW  # add r0,r1


def test_cortex_m7_guesses_the_rarer_way_out_of_a_branch_wrong() -> None:
    penalty = CYCLE_TABLES["cortex-m7"](1).mispredicted.cycles
    memory = CodeMemory()
    memory.put(AT, bytes.fromhex("013f"), branch_if_not_equal(AT + 2, AT), NOP)
    turns = [(AT, 4)] * 10
    assert penalty == 8
    assert cycles(board("cortex-m7"), memory, [*turns, (AT + 4, 2)]) == pytest.approx(
        cycles(board("cortex-m7"), memory, turns) + 1 + _NARROW + penalty
    )


def test_where_code_lies_does_not_change_a_pipeline_without_wait_states() -> None:
    code = bytes.fromhex(f"{LDR_W} {ADD_W} {SMLAD} 0844")
    for core in ("cortex-m7", "cortex-m33"):
        found = set()
        for at in (FLASH + 0x100, FLASH + 0x102, FLASH + 0x10A):
            memory = CodeMemory()
            memory.put(at, code)
            found.add(cycles(board(core), memory, [(at, len(code))]))
        assert len(found) == 1
