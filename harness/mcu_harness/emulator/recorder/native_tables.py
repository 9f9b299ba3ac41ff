"""Compiled: finding blocks, edges and contexts in the recorder's tables, and adding new ones."""

from __future__ import annotations

from mcu_harness.emulator.recorder.layout import (
    FIRST_EDGE,
    GROW_CONTEXTS,
    GROW_EDGES,
    MOST_CALLS,
    NO_STACK,
    ROOT,
    Block,
    Context,
    Edge,
    Frame,
    State,
    hash_block,
)
from mcu_harness.emulator.recorder.native import call, inner, peek, pointer_to, poke
from mcu_harness.emulator.recorder.rows import WORD_BYTES

BLOCK_BYTES, EDGE_BYTES, CONTEXT_BYTES, FRAME_BYTES = Block.nbytes, Edge.nbytes, Context.nbytes, Frame.nbytes

state_at = pointer_to(State)
block_at = pointer_to(Block)
edge_at = pointer_to(Edge)
context_at = pointer_to(Context)
frame_at = pointer_to(Frame)

_hash_block = inner(hash_block)


@inner
def find_block(s: State, key: int) -> int:
    """The block's number; an unknown one is decoded first. 0 when that failed."""
    mask, index, blocks = s.block_mask, s.block_index, s.blocks
    at = _hash_block(key) & mask
    found = peek(index + at * WORD_BYTES)
    while found != 0:
        if block_at(blocks + found * BLOCK_BYTES).key == key:
            return found
        at = (at + 1) & mask
        found = peek(index + at * WORD_BYTES)
    found = call(s.decode, key, 0, 0)
    if found <= 0:
        return 0
    mask, index = s.block_mask, s.block_index
    at = _hash_block(key) & mask
    while peek(index + at * WORD_BYTES) != 0:
        at = (at + 1) & mask
    poke(index + at * WORD_BYTES, found)
    return found


@inner
def _hash_edge(origin: int, previous: int, current: int, to: int) -> int:
    mixed = (origin * 0x9E3779B1) ^ (previous * 0x85EBCA77) ^ (current * 0xC2B2AE3D) ^ (to * 0x27D4EB2F)
    return mixed ^ (mixed >> 17)


@inner
def find_edge(s: State, key: int, origin: int, previous: int, current: int, to: int, action: int) -> int:
    """The edge's offset; it is made on first use."""
    mask, index, edges = s.edge_mask, s.edge_index, s.edges
    at = _hash_edge(origin, previous, current, to) & mask
    found = peek(index + at * WORD_BYTES)
    while found != 0:
        e = edge_at(edges + found)
        same = e.current == current and e.prior == previous
        if same and e.from_context == origin and e.to_context == to:
            return found
        at = (at + 1) & mask
        found = peek(index + at * WORD_BYTES)
    count = s.edge_count
    if count >= s.edge_room:
        call(s.grow, GROW_EDGES, 0, 0)
        _index_edges(s, count)
        mask, index, edges = s.edge_mask, s.edge_index, s.edges
    at = _hash_edge(origin, previous, current, to) & mask
    while peek(index + at * WORD_BYTES) != 0:
        at = (at + 1) & mask
    new = count * EDGE_BYTES
    poke(index + at * WORD_BYTES, new)
    s.edge_count = count + 1
    block = block_at(s.blocks + current * BLOCK_BYTES)
    e = edge_at(edges + new)
    e.key = key
    e.ticks = block.ticks
    if s.price != 0:
        e.ticks = block.ticks + call(s.price, previous, current, 0)
    e.end = block.end
    e.action = action
    e.to_context = to
    e.from_context = origin
    e.current = current
    e.prior = previous
    e.lowest = NO_STACK
    return new


@inner
def _index_edges(s: State, count: int) -> None:
    """Fill an empty index with the first `count` edges."""
    mask, index, edges = s.edge_mask, s.edge_index, s.edges
    for i in range(FIRST_EDGE, count):
        e = edge_at(edges + i * EDGE_BYTES)
        at = _hash_edge(e.from_context, e.prior, e.current, e.to_context) & mask
        while peek(index + at * WORD_BYTES) != 0:
            at = (at + 1) & mask
        poke(index + at * WORD_BYTES, i * EDGE_BYTES)


@inner
def child(s: State, parent: int, entry: int, tail: int, function: int, each: int) -> int:
    """The context called (or tail-called) from `parent` at `entry`; recursion beyond `max_depth` folds back."""
    contexts, window, newest, calls, found = s.contexts, s.window, 0, 0, 0
    depth = context_at(contexts + parent * CONTEXT_BYTES).depth + 1
    if depth > s.max_depth:
        c = parent
        while c > ROOT:
            row = context_at(contexts + c * CONTEXT_BYTES)
            if row.entry == entry:
                return c
            c = row.parent
    c = context_at(contexts + parent * CONTEXT_BYTES).first_child
    while c != 0:  # from the newest to the oldest
        row = context_at(contexts + c * CONTEXT_BYTES)
        if row.entry == entry and row.tail == tail:
            if each == 0:
                return c
            newest, calls = max(newest, c), calls + 1
            found = c if row.called_in != window else found
        c = row.sibling
    if found != 0:
        context_at(contexts + found * CONTEXT_BYTES).called_in = window
        return found
    if calls >= MOST_CALLS:
        return newest
    c = s.context_count
    if c >= s.context_room:
        call(s.grow, GROW_CONTEXTS, 0, 0)
        contexts = s.contexts
    s.context_count = c + 1
    above = context_at(contexts + parent * CONTEXT_BYTES)
    row = context_at(contexts + c * CONTEXT_BYTES)
    row.parent = parent
    row.entry = entry
    row.tail = tail
    row.function = function
    row.depth = depth
    row.first_child = 0
    row.called_in = window
    row.sibling = above.first_child
    above.first_child = c
    return c
