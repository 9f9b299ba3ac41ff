"""The clock of live runs against what the same code is priced at when it is over, and against hand-counted cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.pricing import price
from mcu_harness.analysis.profile.cycles.step_clock import StepClock
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.hardware.board import Board
from sample_boards import FLASH, board
from thumb_code import BX_LR, NOP, CodeMemory, branch_if_not_equal, call

AT = FLASH + 0x100
TURNS = 50
LOOP = [(AT, 8), *[(AT + 2, 6)] * (TURNS - 1), (AT + 8, 6), (AT + 0x40, 4), (AT + 14, 2)]


@pytest.fixture
def memory() -> CodeMemory:
    """movs r0,#n; loop: ldr r2,[r1]; subs r0,#1; bne loop; nop; a call of: muls r0,r2; bx lr; and a nop."""
    memory = CodeMemory()
    memory.put(
        AT, bytes.fromhex("3220 0a68 0138"), branch_if_not_equal(AT + 6, AT + 2), NOP, call(AT + 10, AT + 0x40), NOP
    )
    memory.put(AT + 0x40, bytes.fromhex("5043"), BX_LR)
    return memory


def run(memory: CodeMemory, on: Board) -> BlockRecorder:
    recorder = BlockRecorder(memory.read, clock=StepClock(on))
    recorder.begin(AT)
    recorder.add(np.array(LOOP, np.uint32))
    return recorder


def priced(recorder: BlockRecorder, on: Board) -> float:
    counts = recorder.counts()
    prices = price(counts, on)
    assert prices is not None
    return float((counts.edge_count * prices.edge_cycles).sum())


def slow(cache: str, core: str = "cortex-m4") -> Board:
    made = board(core)
    flash = replace(made.code_memory, wait_states=3, cache=cache, fetch_bytes=8)
    return replace(made, memories=tuple(flash if m.name == flash.name else m for m in made.memories))


@pytest.mark.parametrize("core", sorted(CYCLE_TABLES))
def test_the_clock_agrees_with_the_price_of_the_finished_run(memory: CodeMemory, core: str) -> None:
    recorder = run(memory, board(core))
    mispredicted = CYCLE_TABLES[core](1).mispredicted.cycles  # of the rarer way out, which only the end of a run shows
    assert recorder.now == pytest.approx(priced(recorder, board(core)) - mispredicted, abs=2, rel=0.01)


def test_the_clock_of_a_cortex_m0_is_the_hand_counted_cycles(memory: CodeMemory) -> None:
    # movs; turns of ldr 2, subs 1, bne 1, taken 2 more; nop, bl 4; muls 1 (one-cycle multiplier), bx 3; nop
    assert (
        run(memory, replace(board("cortex-m0"), multiplier_cycles=1)).now
        == 1 + TURNS * 4 + (TURNS - 1) * 2 + 1 + 4 + 1 + 3 + 1
    )


@pytest.mark.parametrize("cache", ["none", "prefetch"])
def test_what_nothing_caches_is_waited_for(memory: CodeMemory, cache: str) -> None:
    recorder = run(memory, slow(cache))
    assert recorder.now > run(memory, board("cortex-m4")).now + 3
    assert recorder.now == pytest.approx(priced(recorder, slow(cache)), rel=0.05)


def test_a_cache_always_hits(memory: CodeMemory) -> None:
    assert run(memory, slow("icache")).now == run(memory, board("cortex-m4")).now


def test_instructions_are_counted_beside_the_clock(memory: CodeMemory) -> None:
    recorder = run(memory, board("cortex-m4"))
    assert recorder.instructions == 1 + TURNS * 3 + 2 + 2 + 1
    assert (
        int((recorder.counts().edge_count * recorder.counts().block_instructions[recorder.counts().edge_current]).sum())
        == recorder.instructions
    )


def test_an_alarm_rings_by_the_clock(memory: CodeMemory) -> None:
    recorder = BlockRecorder(memory.read, clock=StepClock(board("cortex-m0")))
    recorder.begin(AT)
    recorder.set_alarm(60)
    assert not recorder.add(np.array(LOOP, np.uint32))
    assert recorder.paused
    assert 60 <= recorder.now <= 60 + 6


def test_counts_since_a_mark_are_what_ran_after_it(memory: CodeMemory) -> None:
    recorder = BlockRecorder(memory.read, clock=StepClock(board("cortex-m4")))
    recorder.begin(AT)
    recorder.add(np.array(LOOP[:10], np.uint32))
    before = recorder.counts()
    mark = recorder.mark()
    assert recorder.counts(mark).edge_count.tolist() == []
    recorder.add(np.array(LOOP[10:], np.uint32))
    after = recorder.counts(mark)
    assert int(after.edge_count.sum()) == len(LOOP) - 10
    assert int(before.edge_count.sum()) + int(after.edge_count.sum()) == int(recorder.counts().edge_count.sum())
    assert set(after.block_address.tolist()) >= {AT + 0x40, AT + 14}


def test_a_core_without_a_table_takes_a_cycle_an_instruction(memory: CodeMemory) -> None:
    recorder = run(memory, board("cortex-m23"))
    assert recorder.now == recorder.instructions
