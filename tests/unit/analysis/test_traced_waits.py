"""What memories add, from a memory trace: misses by hand, times what one costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_cycles import AT, record

from mcu_harness.analysis.profile.cycles.pricing import price
from mcu_harness.analysis.profile.cycles.traced import context_paths
from mcu_harness.emulator.contract import DataTrace
from mcu_harness.hardware.board import Board
from sample_boards import FLASH, board
from thumb_code import NOP, CodeMemory

LDR = bytes.fromhex("0868")  # ldr r0,[r1]
RAM = 0x20000000


def slow(**changes: object) -> Board:
    made = board("cortex-m0+")
    return replace(
        made,
        memories=tuple(
            replace(m, wait_states=2, fetch_bytes=8, **changes) if m.kind == "flash" else m for m in made.memories
        ),
    )


def trace(**columns: object) -> DataTrace:
    """One load at AT, in the root context, in a block of 4 bytes that ran 10 times."""
    values: dict[str, object] = {
        "context": [0], "instruction": [AT], "low": [FLASH], "high": [FLASH + 0x1000], "size": [4], "write": [False],
        "count": [10], "misses": [4], "unwritten": [0], "first_unwritten": [0], "unaligned": [0], "block_context": [0], "block_address": [AT],
        "block_bytes": [4], "block_count": [10], "block_source": [-1], "first_misses": [0], "next_misses": [0],
        "context_parent": [-1], "context_entry": [AT],
    }  # fmt: skip
    values |= columns
    return DataTrace(**{name: np.array(value) for name, value in values.items()})  # type: ignore[arg-type]


def waits(on: Board, traced: DataTrace, runs: int = 10) -> float:
    memory = CodeMemory()
    memory.put(AT, LDR, NOP)
    counts = record(memory, [(AT, 4)] * runs)
    prices = price(counts, on, traced)
    assert prices is not None
    return float((counts.edge_count * prices.wait_cycles).sum())


def test_every_read_of_flash_waits_where_nothing_caches_data() -> None:
    assert waits(slow(), trace()) == 10 * 2
    assert waits(slow(), trace(size=[8])) == 10 * 2 * 2  # two words


def test_a_cached_read_waits_when_its_line_is_not_there() -> None:
    cached = slow(data_cache_bytes=64, cache="art", cache_line_bytes=32)
    assert waits(cached, trace()) == pytest.approx(4 * 4 * 2)  # four reads of 8 bytes a line
    measured = replace(cached, memories=tuple(replace(m, data_miss_cycles=7.5) for m in cached.memories))
    assert waits(measured, trace()) == pytest.approx(4 * 7.5)


def test_writes_and_fast_memory_cost_nothing() -> None:
    assert waits(slow(), trace(write=[True])) == 0
    assert waits(slow(), trace(low=[RAM], high=[RAM + 64])) == 0


def test_a_trace_of_a_part_holds_for_the_whole() -> None:
    assert waits(slow(), trace(), runs=30) == 3 * 10 * 2


def test_code_after_a_jump_waits_in_full_and_code_in_sequence_for_what_is_left() -> None:
    on = slow(cache="prefetch")
    jumped = trace(count=[0], misses=[0], first_misses=[10], block_source=[AT + 0x40])
    assert waits(on, jumped) == 10 * 2
    # A line of four instructions takes more cycles than the read of the next one: it is there when it is needed.
    in_sequence = trace(count=[0], misses=[0], first_misses=[10], next_misses=[10], block_source=[AT])
    assert waits(on, in_sequence) == 0
    cached = slow(cache="art", cache_bytes=64, cache_line_bytes=32)  # reads no line of 32 bytes ahead
    assert waits(cached, in_sequence) == pytest.approx(20 * 4 * 2)


def test_what_was_traced_outside_of_windows_is_not_in_the_figures() -> None:
    assert waits(slow(), trace(context=[-1], block_context=[-1])) == 0


def test_a_context_that_was_not_traced_gets_the_average_of_the_instruction() -> None:
    elsewhere = trace(context_entry=[AT + 0x1000])
    assert waits(slow(), elsewhere) == 10 * 2


def test_paths_lead_from_the_root() -> None:
    assert context_paths(np.array([-1, 0, 1, 0]), np.array([1, 2, 3, 4], np.uint32)) == [
        (1,),
        (1, 2),
        (1, 2, 3),
        (1, 4),
    ]
