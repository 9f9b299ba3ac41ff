"""Compiled: what runs for every executed block.

Its logic is in `native_tables` (blocks, edges and contexts) and `native_calls` (the stack of calls). All of it knows no
Python object, only the address of a `State`, so that it can be kept on disk; `block_recorder` explains what is recorded.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from mcu_harness.emulator.recorder.layout import (
    ENDLESS,
    OUTSIDE,
    SLOW,
    STAY,
    STOP_CHECK,
    STOP_ENDLESS,
    STOP_ERROR,
    UNMASKS,
    State,
)
from mcu_harness.emulator.recorder.native import call, inlined, inner, peek32
from mcu_harness.emulator.recorder.native_calls import left_frame, note_stack, repeat, resolve
from mcu_harness.emulator.recorder.native_tables import (
    BLOCK_BYTES,
    block_at,
    edge_at,
    find_block,
    find_edge,
    state_at,
)


@inner
def _record_new(s: State, key: int) -> int:
    """As `_record_known`, when the step is not one of the two that usually follow, or the run may have to stop: then 1."""
    last = edge_at(s.edges + s.edge)
    context, previous = last.to_context, last.current
    current = find_block(s, key)
    if current == 0:
        s.stopped = STOP_ERROR
        return 1
    row = block_at(s.blocks + current * BLOCK_BYTES)
    if previous == current and row.kind & ENDLESS and s.interrupts == 0:
        s.stopped = STOP_ENDLESS
        return 1
    left = s.left - row.ticks
    unmasks = block_at(s.blocks + previous * BLOCK_BYTES).kind & UNMASKS
    if left < 0 or (unmasks and s.held) or (s.frame_span and left_frame(s, current, key >> 32)):
        if call(s.check, row.ticks, 0, 0) == 0:
            s.stopped = STOP_CHECK
            return 1
        left = s.left - row.ticks
    to, action = OUTSIDE, STAY
    if context != OUTSIDE:
        to, action = resolve(s, context, previous, current, key >> 32)
    edge = find_edge(s, key, context, previous, current, to, action)
    last = edge_at(s.edges + s.edge)
    if action != SLOW and not unmasks and not s.frame_leaves and last.likely != edge:
        last.unlikely = last.likely
        last.likely = edge
    e = edge_at(s.edges + edge)
    row = block_at(s.blocks + current * BLOCK_BYTES)
    s.left = left - (e.ticks - row.ticks)
    s.frame_leaves = 0
    e.count += 1
    s.edge = edge
    note_stack(s, e)
    return 0


@inlined
def _record_known(s: State, key: int) -> bool:
    """Count a step that is one of the two that usually follow the last one; False when it is not, or needs care."""
    edges = s.edges
    last = edge_at(edges + s.edge)
    edge = last.likely
    e = edge_at(edges + edge)
    if e.key != key:
        edge = last.unlikely
        e = edge_at(edges + edge)
        if e.key != key:
            return False
    left = s.left - e.ticks
    action = e.action
    if left < 0 or (action != STAY and not repeat(s, last, e, action, key >> 32)):
        return False
    s.left = left
    s.edge = edge
    e.count += 1
    note_stack(s, e)
    return True


def entries() -> dict[str, Any]:
    """What is called from outside, as C callbacks."""
    compiler: Any = numba
    word = types.int64
    return {
        "on_block": compiler.cfunc(types.void(word, word, types.uint32, word))(on_block),
        "on_new_block": compiler.cfunc(types.void(word, word, word))(on_new_block),
        "on_buffer": compiler.cfunc(word(word, word, word))(on_buffer),
    }


def on_block(engine: int, address: int, size: int, state: int) -> None:
    """UC_HOOK_BLOCK: the engine, the block's address and size in bytes, and the state as user data."""
    s = state_at(state)
    key = address << 32 | size
    if not _record_known(s, key):
        call(s.new_block, engine, key, state)


def on_new_block(engine: int, key: int, state: int) -> None:
    """What `on_block` calls for all but the steps it knows: by address, so that it needs no stack frame of its own."""
    s = state_at(state)
    if _record_new(s, key) != 0:
        call(s.emu_stop, engine, 0, 0)


def on_buffer(state: int, records: int, count: int) -> int:
    """Count blocks from an array of `count` pairs (address, size) of 32 bits; returns how many were taken before it stopped."""
    s = state_at(state)
    for i in range(count):
        at = records + 8 * i
        key = peek32(at) << 32 | peek32(at + 4)
        if not _record_known(s, key) and _record_new(s, key) != 0:
            return i
    return count
