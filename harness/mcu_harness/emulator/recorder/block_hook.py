"""The part of the block recorder that runs for every executed block, compiled by numba.

All compiled logic is in this one file, because numba's cache on disk looks only at the file a function is in.

State is plain memory made of 64-bit words, owned by `recorder.BlockRecorder` (which explains the tables) and reached
by address, so that the compiled code knows no Python object and can be cached. Tables hold rows of fixed size; row 0
of each is a dummy, so index 0 means "none".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba import types

from mcu_harness.emulator.recorder.words import call, peek, peek32, poke
from mcu_harness.hardware.arm.thumb import CALL, RETURN

# Words of the state. LEFT counts down the time (see TICKS) until Python is asked whether to go on.
EDGE, LEFT, DEPTH, STOPPED, INTERRUPTS, MAX_DEPTH = (8 * i for i in range(6))
EDGES, EDGE_COUNT, EDGE_ROOM, EDGE_INDEX, EDGE_MASK = (8 * i for i in range(6, 11))
BLOCKS, BLOCK_INDEX, BLOCK_MASK = (8 * i for i in range(11, 14))
CONTEXTS, CONTEXT_COUNT, CONTEXT_ROOM, FRAMES, FRAME_ROOM = (8 * i for i in range(14, 19))
DECODE, CHECK, GROW, EMU_STOP, NEW_BLOCK, HELD = (8 * i for i in range(19, 25))
WINDOW, PRICE = 8 * 25, 8 * 26  # windows begun; what a new step takes more than its block, if not 0
POINTER, STACK_LOW = 8 * 27, 8 * 28  # where the stack pointer is; the lowest address of the stack's area
# The window's function: the stack pointer that it was entered with, how many above it are of the same stack (0: not watched),
# its caller, and whether it was found to be off the stack.
FRAME_END, FRAME_SPAN, FRAME_CALLER, FRAME_LEFT, STATE_WORDS = 8 * 29, 8 * 30, 8 * 31, 8 * 32, 33

# Rows. A block's key is its address << 32 | its size (bytes, or instructions where the emulator counts those).
BLOCK_ROW = 64
# TICKS is what LEFT counts down by: its instructions, or with a clock, the time that the block takes.
KEY, INSTRUCTIONS, KIND, TARGET, END, FUNCTION, TICKS = (8 * i for i in range(7))
# An edge is a step from block PRIOR in context FROM to block CURRENT in context TO; EDGE_END is where CURRENT ends.
# LIKELY and UNLIKELY (offsets of edges) are the last two different steps that followed: that is the fast path.
EDGE_ROW = 128
EDGE_TICKS, ACTION, COUNT, LIKELY, UNLIKELY, TO, EDGE_END, CURRENT, PRIOR, FROM = (8 * i for i in range(1, 11))
LOWEST = 8 * 11  # the lowest stack pointer that the step was taken with, from STACK_LOW on; NO_STACK: none in the area
NO_STACK = 0xFFFFFFFF
CONTEXT_ROW = 64
PARENT, ENTRY, TAIL, CONTEXT_FUNCTION, CONTEXT_DEPTH, FIRST_CHILD, SIBLING, CALLED_IN = (8 * i for i in range(8))
FRAME_ROW = 32
RETURN_TO, CALLER, CALLER_BLOCK = 0, 8, 16

# KIND holds the kinds of thumb.py and these flags.
KIND_MASK, HANDLER, ENDLESS, UNMASKS = 0xFF, 0x100, 0x200, 0x400
EACH_CALL, MOST_CALLS = 0x800, 1000  # the nth call of a window has a context of its own, with the nth of other windows
# What an edge does to the stack of calls. SLOW ones are resolved anew each time.
STAY, PUSH, POP, JUMP, SLOW = range(5)
EXCEPTION, TAKEN = -2, -3  # RETURN_TO of frames: an exception that was recognised; one that the emulator took
# Blocks that stand for what came before the first one: the start of a window, and how a handler was entered.
NO_BLOCK, ENTERED, ENTERED_WITH_FLOATS, CHAINED, FIRST_BLOCK = range(5)
OUTSIDE, ROOT = 0, 1  # contexts: outside the measured windows, and where a window begins
START_OUTSIDE, START_ROOT, START_TAKEN, FIRST_EDGE = EDGE_ROW, 2 * EDGE_ROW, 3 * EDGE_ROW, 4  # counting starts there
STOP_ENDLESS, STOP_CHECK, STOP_ERROR = 1, 2, 3

_F = TypeVar("_F", bound=Callable[..., object])
_numba: Any = numba
_inner: Callable[[_F], _F] = _numba.njit(nogil=True)
_inlined: Callable[[_F], _F] = _numba.njit(nogil=True, forceinline=True)


def hash_block(key: int) -> int:
    return (key >> 33) + (key & 0xFFFF) * 40503


_hash_block = _inner(hash_block)


@_inner
def _find_block(s: int, key: int) -> int:
    """The block's index; an unknown one is decoded first. 0 when that failed."""
    mask, index, blocks = peek(s + BLOCK_MASK), peek(s + BLOCK_INDEX), peek(s + BLOCKS)
    at = _hash_block(key) & mask
    found = peek(index + at * 8)
    while found != 0:
        if peek(blocks + found * BLOCK_ROW + KEY) == key:
            return found
        at = (at + 1) & mask
        found = peek(index + at * 8)
    found = call(peek(s + DECODE), key, 0, 0)
    if found <= 0:
        return 0
    mask, index = peek(s + BLOCK_MASK), peek(s + BLOCK_INDEX)
    at = _hash_block(key) & mask
    while peek(index + at * 8) != 0:
        at = (at + 1) & mask
    poke(index + at * 8, found)
    return found


@_inner
def _hash_edge(origin: int, previous: int, current: int, to: int) -> int:
    mixed = (origin * 0x9E3779B1) ^ (previous * 0x85EBCA77) ^ (current * 0xC2B2AE3D) ^ (to * 0x27D4EB2F)
    return mixed ^ (mixed >> 17)


@_inner
def _find_edge(s: int, key: int, origin: int, previous: int, current: int, to: int, action: int) -> int:
    """The edge's offset; it is made on first use."""
    mask, index, edges = peek(s + EDGE_MASK), peek(s + EDGE_INDEX), peek(s + EDGES)
    at = _hash_edge(origin, previous, current, to) & mask
    found = peek(index + at * 8)
    while found != 0:
        e = edges + found
        same = peek(e + CURRENT) == current and peek(e + PRIOR) == previous
        if same and peek(e + FROM) == origin and peek(e + TO) == to:
            return found
        at = (at + 1) & mask
        found = peek(index + at * 8)
    count = peek(s + EDGE_COUNT)
    if count >= peek(s + EDGE_ROOM):
        call(peek(s + GROW), EDGES, 0, 0)
        _index_edges(s, count)
        mask, index, edges = peek(s + EDGE_MASK), peek(s + EDGE_INDEX), peek(s + EDGES)
    at = _hash_edge(origin, previous, current, to) & mask
    while peek(index + at * 8) != 0:
        at = (at + 1) & mask
    new = count * EDGE_ROW
    poke(index + at * 8, new)
    poke(s + EDGE_COUNT, count + 1)
    block = peek(s + BLOCKS) + current * BLOCK_ROW
    e = edges + new
    poke(e + KEY, key)
    poke(e + EDGE_TICKS, peek(block + TICKS))
    if peek(s + PRICE) != 0:
        poke(e + EDGE_TICKS, peek(block + TICKS) + call(peek(s + PRICE), previous, current, 0))
    poke(e + EDGE_END, peek(block + END))
    poke(e + ACTION, action)
    poke(e + TO, to)
    poke(e + FROM, origin)
    poke(e + CURRENT, current)
    poke(e + PRIOR, previous)
    poke(e + LOWEST, NO_STACK)
    return new


@_inner
def _index_edges(s: int, count: int) -> None:
    """Fill an empty index with the first `count` edges."""
    mask, index, edges = peek(s + EDGE_MASK), peek(s + EDGE_INDEX), peek(s + EDGES)
    for i in range(FIRST_EDGE, count):
        e = edges + i * EDGE_ROW
        at = _hash_edge(peek(e + FROM), peek(e + PRIOR), peek(e + CURRENT), peek(e + TO)) & mask
        while peek(index + at * 8) != 0:
            at = (at + 1) & mask
        poke(index + at * 8, i * EDGE_ROW)


@_inner
def _child(s: int, parent: int, entry: int, tail: int, function: int, each: int) -> int:
    """The context called (or tail-called) from `parent` at `entry`; recursion beyond MAX_DEPTH folds back."""
    contexts, window, newest, calls, found = peek(s + CONTEXTS), peek(s + WINDOW), 0, 0, 0
    depth = peek(contexts + parent * CONTEXT_ROW + CONTEXT_DEPTH) + 1
    if depth > peek(s + MAX_DEPTH):
        c = parent
        while c > ROOT:
            if peek(contexts + c * CONTEXT_ROW + ENTRY) == entry:
                return c
            c = peek(contexts + c * CONTEXT_ROW + PARENT)
    c = peek(contexts + parent * CONTEXT_ROW + FIRST_CHILD)
    while c != 0:  # from the newest to the oldest
        row = contexts + c * CONTEXT_ROW
        if peek(row + ENTRY) == entry and peek(row + TAIL) == tail:
            if each == 0:
                return c
            newest, calls = max(newest, c), calls + 1
            found = c if peek(row + CALLED_IN) != window else found
        c = peek(row + SIBLING)
    if found != 0:
        poke(contexts + found * CONTEXT_ROW + CALLED_IN, window)
        return found
    if calls >= MOST_CALLS:
        return newest
    c = peek(s + CONTEXT_COUNT)
    if c >= peek(s + CONTEXT_ROOM):
        call(peek(s + GROW), CONTEXTS, 0, 0)
        contexts = peek(s + CONTEXTS)
    poke(s + CONTEXT_COUNT, c + 1)
    row = contexts + c * CONTEXT_ROW
    poke(row + PARENT, parent)
    poke(row + ENTRY, entry)
    poke(row + TAIL, tail)
    poke(row + CONTEXT_FUNCTION, function)
    poke(row + CONTEXT_DEPTH, depth)
    poke(row + FIRST_CHILD, 0)
    poke(row + CALLED_IN, window)
    poke(row + SIBLING, peek(contexts + parent * CONTEXT_ROW + FIRST_CHILD))
    poke(contexts + parent * CONTEXT_ROW + FIRST_CHILD, c)
    return c


@_inner
def _push(s: int, return_to: int, caller: int, block: int) -> None:
    depth = peek(s + DEPTH)
    if depth >= peek(s + FRAME_ROOM):
        call(peek(s + GROW), FRAMES, 0, 0)
    frame = peek(s + FRAMES) + depth * FRAME_ROW
    poke(frame + RETURN_TO, return_to)
    poke(frame + CALLER, caller)
    poke(frame + CALLER_BLOCK, block)
    poke(s + DEPTH, depth + 1)


@_inner
def _in_chain(s: int, context: int, function: int) -> int:
    """`context` or the one it was tail-called from, whichever runs `function`; 0 when none does."""
    contexts = peek(s + CONTEXTS)
    while context != 0:
        if peek(contexts + context * CONTEXT_ROW + CONTEXT_FUNCTION) == function:
            return context
        if peek(contexts + context * CONTEXT_ROW + TAIL) == 0:
            return 0
        context = peek(contexts + context * CONTEXT_ROW + PARENT)
    return 0


@_inner
def _jump(s: int, context: int, kind: int, address: int, function: int) -> tuple[int, int]:
    """(context, action) after a jump that is neither a call nor a return to a known return address."""
    contexts = peek(s + CONTEXTS)
    here = peek(contexts + context * CONTEXT_ROW + CONTEXT_FUNCTION)
    action = JUMP if kind == RETURN else STAY
    depth = peek(s + DEPTH)
    if function == -1:
        if kind == RETURN and depth > 0:  # compilers' switch helpers return past the table that follows the call
            top = peek(s + FRAMES) + (depth - 1) * FRAME_ROW
            distance = address - peek(top + RETURN_TO)
            if peek(top + RETURN_TO) != EXCEPTION and 0 < distance < 512:
                poke(s + DEPTH, depth - 1)
                return peek(top + CALLER), SLOW
        return context, action
    if function == here:
        return context, action
    found = _in_chain(s, context, function)
    if found != 0:
        return found, action
    if address != function and kind == RETURN:  # longjmp, or a return to elsewhere in a caller
        i = depth - 1
        while i >= 0:
            frame = peek(s + FRAMES) + i * FRAME_ROW
            found = _in_chain(s, peek(frame + CALLER), function)
            if found != 0:
                poke(s + DEPTH, i)
                return found, SLOW
            i -= 1
        if depth == 0:  # returned from where the window began
            return _child(s, ROOT, function, 0, function, 0), SLOW
    return _child(s, context, function, 1, function, 0), action


@_inner
def _is_expected(s: int, previous: int, address: int) -> bool:
    """Whether `address` can follow block `previous` without an exception."""
    row = peek(s + BLOCKS) + previous * BLOCK_ROW
    if previous == 0 or peek(row + END) == address or peek(row + TARGET) == address:
        return True
    kind = peek(row + KIND) & KIND_MASK
    if kind == CALL:
        return peek(row + TARGET) == -1
    depth = peek(s + DEPTH)
    return kind == RETURN and depth > 0 and peek(peek(s + FRAMES) + (depth - 1) * FRAME_ROW + RETURN_TO) == address


@_inner
def _resolve(s: int, context: int, previous: int, current: int, address: int) -> tuple[int, int]:
    """(context, action) of going from block `previous` in `context` to block `current`; keeps the stack of calls."""
    blocks = peek(s + BLOCKS)
    function = peek(blocks + current * BLOCK_ROW + FUNCTION)
    is_handler = peek(s + INTERRUPTS) != 0 and peek(blocks + current * BLOCK_ROW + KIND) & HANDLER != 0
    slow = False
    while True:
        row = blocks + previous * BLOCK_ROW
        kind = peek(row + KIND) & KIND_MASK
        depth, frames = peek(s + DEPTH), peek(s + FRAMES)
        ends_exception = (
            kind == RETURN and depth > 0 and peek(frames + (depth - 1) * FRAME_ROW + RETURN_TO) == EXCEPTION
        )
        if is_handler and not ends_exception and not _is_expected(s, previous, address):
            _push(s, EXCEPTION, context, previous)
            return _child(s, context, address, 0, function, 0), SLOW
        if kind == CALL and address != peek(row + END) and peek(row + TARGET) in (-1, address):
            _push(s, peek(row + END), context, previous)
            each = peek(blocks + current * BLOCK_ROW + KIND) & EACH_CALL
            return _child(s, context, address, 0, function, each), SLOW if slow or each else PUSH
        if kind != RETURN:
            to, action = _jump(s, context, kind, address, function)
            return to, SLOW if slow else action
        i = depth - 1
        while i >= 0 and peek(frames + i * FRAME_ROW + RETURN_TO) not in (address, EXCEPTION):
            i -= 1
        if i >= 0 and peek(frames + i * FRAME_ROW + RETURN_TO) == address:
            poke(s + DEPTH, i)
            return peek(frames + i * FRAME_ROW + CALLER), POP if i == depth - 1 and not slow else SLOW
        stays = (
            not is_handler
            and function != -1
            and function == peek(peek(s + CONTEXTS) + context * CONTEXT_ROW + CONTEXT_FUNCTION)
        )
        if i < 0 or stays or address == peek(row + END):
            to, action = _jump(s, context, kind, address, function)
            return to, SLOW if slow else action
        # The end of an exception: go on from where it came.
        poke(s + DEPTH, i)
        context, previous = peek(frames + i * FRAME_ROW + CALLER), peek(frames + i * FRAME_ROW + CALLER_BLOCK)
        slow = True


@_inlined
def _note_stack(s: int, e: int) -> None:
    """Keep the stack pointer that edge `e` is taken with, where it is the lowest in the stack's area so far."""
    above = (peek32(peek(s + POINTER)) - peek(s + STACK_LOW)) & NO_STACK
    if above < peek(e + LOWEST):
        poke(e + LOWEST, above)


@_inner
def _left_frame(s: int, current: int, address: int) -> bool:
    """Whether the window's function is off the stack before this new step: above its frame, or in the middle of its caller."""
    above = (peek32(peek(s + POINTER)) - peek(s + FRAME_END)) & NO_STACK
    if above >= peek(s + FRAME_SPAN):
        return False
    function = peek(peek(s + BLOCKS) + current * BLOCK_ROW + FUNCTION)
    if above == 0 and (function != peek(s + FRAME_CALLER) or function == address):
        return False
    poke(s + FRAME_LEFT, 1)
    return True


@_inner
def _record_new(s: int, key: int) -> int:
    """As `record`, when the step is not one of the two that usually follow, or the run may have to stop."""
    last = peek(s + EDGES) + peek(s + EDGE)
    context, previous = peek(last + TO), peek(last + CURRENT)
    current = _find_block(s, key)
    if current == 0:
        poke(s + STOPPED, STOP_ERROR)
        return 1
    row = peek(s + BLOCKS) + current * BLOCK_ROW
    if previous == current and peek(row + KIND) & ENDLESS and peek(s + INTERRUPTS) == 0:
        poke(s + STOPPED, STOP_ENDLESS)
        return 1
    left = peek(s + LEFT) - peek(row + TICKS)
    unmasks = peek(peek(s + BLOCKS) + previous * BLOCK_ROW + KIND) & UNMASKS
    if left < 0 or (unmasks and peek(s + HELD)) or (peek(s + FRAME_SPAN) and _left_frame(s, current, key >> 32)):
        if call(peek(s + CHECK), peek(row + TICKS), 0, 0) == 0:
            poke(s + STOPPED, STOP_CHECK)
            return 1
        left = peek(s + LEFT) - peek(row + TICKS)
    to, action = OUTSIDE, STAY
    if context != OUTSIDE:
        to, action = _resolve(s, context, previous, current, key >> 32)
    edge = _find_edge(s, key, context, previous, current, to, action)
    last = peek(s + EDGES) + peek(s + EDGE)
    if action != SLOW and not unmasks and peek(last + LIKELY) != edge:
        poke(last + UNLIKELY, peek(last + LIKELY))
        poke(last + LIKELY, edge)
    e = peek(s + EDGES) + edge
    row = peek(s + BLOCKS) + current * BLOCK_ROW
    poke(s + LEFT, left - (peek(e + EDGE_TICKS) - peek(row + TICKS)))
    poke(e + COUNT, peek(e + COUNT) + 1)
    poke(s + EDGE, edge)
    _note_stack(s, e)
    return 0


@_inlined
def _record_known(s: int, key: int) -> bool:
    """Count a step that is one of the two that usually follow the last one; False when it is not, or needs care."""
    edges = peek(s + EDGES)
    last = edges + peek(s + EDGE)
    edge = peek(last + LIKELY)
    e = edges + edge
    if peek(e + KEY) != key:
        edge = peek(last + UNLIKELY)
        e = edges + edge
        if peek(e + KEY) != key:
            return False
    left = peek(s + LEFT) - peek(e + EDGE_TICKS)
    action = peek(e + ACTION)
    if left < 0 or (action != STAY and not _move(s, last, e, action, key >> 32)):
        return False
    poke(s + LEFT, left)
    poke(s + EDGE, edge)
    poke(e + COUNT, peek(e + COUNT) + 1)
    _note_stack(s, e)
    return True


@_inlined
def _move(s: int, last: int, e: int, action: int, address: int) -> bool:
    """Do to the stack of calls what edge `e` did before; False when that would be wrong this time."""
    depth = peek(s + DEPTH)
    if action == PUSH:
        if depth >= peek(s + FRAME_ROOM):
            return False
        frame = peek(s + FRAMES) + depth * FRAME_ROW
        poke(frame + RETURN_TO, peek(last + EDGE_END))
        poke(frame + CALLER, peek(last + TO))
        poke(s + DEPTH, depth + 1)
        return True
    if depth == 0:
        return action == JUMP
    frame = peek(s + FRAMES) + (depth - 1) * FRAME_ROW
    if action == POP:
        if peek(frame + RETURN_TO) != address or peek(frame + CALLER) != peek(e + TO):
            return False
        poke(s + DEPTH, depth - 1)
        return True
    return peek(frame + RETURN_TO) != address and peek(frame + RETURN_TO) != EXCEPTION


def on_block(engine: int, address: int, size: int, s: int) -> None:
    """UC_HOOK_BLOCK: the engine, the block's address and size in bytes, and the state as user data."""
    key = address << 32 | size
    if not _record_known(s, key):
        call(peek(s + NEW_BLOCK), engine, key, s)


def on_new_block(engine: int, key: int, s: int) -> None:
    """What `on_block` calls for all but the steps it knows: by address, so that it needs no stack frame of its own."""
    if _record_new(s, key) != 0:
        call(peek(s + EMU_STOP), engine, 0, 0)


def on_buffer(s: int, records: Any) -> int:
    """Count blocks from an (n, 2) uint32 array of (address, size); returns how many were taken before it stopped."""
    for i in range(records.shape[0]):
        key = types.int64(records[i, 0]) << 32 | types.int64(records[i, 1])
        if not _record_known(s, key) and _record_new(s, key) != 0:
            return i
    return len(records)
