"""Compiled: what runs before every instruction of a memory trace.

It is a code hook (UC_HOOK_CODE), which Unicorn calls with the registers as they are and not for instructions that an IT
block skips. Its memory hooks are not used: they corrupt the program when they fire inside an IT block.

It knows no Python object, only the address of a `TraceState`, so that it can be kept on disk.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from mcu_harness.emulator.recorder.native import (
    address_of,
    call,
    inlined,
    inner,
    peek,
    peek32,
)
from mcu_harness.emulator.trace.layout import (
    BASE_BITS,
    COUNTERS_STEP,
    DESCRIPTOR_STEP,
    ENTRY,
    INDEX_AT,
    INDEXED,
    PRESENT,
    SHIFT_AT,
    SIZE_AT,
    TraceState,
)
from mcu_harness.emulator.trace.native_accesses import (
    STEP_BYTES,
    count,
    count_parts,
    counters_at,
    enter_object,
    fetch,
    state_at,
    step_at,
    write_log,
)


@inner
def _on_edge(s: TraceState) -> None:
    """Point at the tables of the edge that the recorder is at now."""
    offset = peek(s.edge)
    edge = offset >> s.edge_shift
    if edge >= s.step_room:
        call(s.prepare, edge, 0, 0)
    step = step_at(s.steps + edge * STEP_BYTES)
    if step.descriptors == 0:
        call(s.prepare, edge, 0, 0)
        step = step_at(s.steps + edge * STEP_BYTES)
    s.last_edge = offset
    s.step = address_of(step)
    s.descriptors = step.descriptors
    s.counters = step.counters


@inlined
def _on_access(s: TraceState, address: int, descriptor: int) -> None:
    """The instruction at `address` is a load or store, and about to execute."""
    registers = s.registers
    at = peek32(registers + ((descriptor & BASE_BITS) << 2)) + (descriptor >> 32)
    if descriptor & INDEXED:
        at += peek32(registers + (((descriptor >> INDEX_AT) & 15) << 2)) << ((descriptor >> SHIFT_AT) & 3)
    at &= 0xFFFFFFFF
    length = (descriptor >> SIZE_AT) & 255
    row = counters_at(s.counters + address * COUNTERS_STEP)
    if at < row.low or at >= row.high:
        if row.count != 0:
            write_log(s, row, address)
        end = enter_object(s, row, at, length)
        if at >= row.high:
            count_parts(s, row, address, at, length, end, descriptor)
            return
    count(s, row, at, length, descriptor)


def entries() -> dict[str, Any]:
    """What is called from outside, as a C callback."""
    compiler: Any = numba
    word = types.int64
    return {"on_instruction": compiler.cfunc(types.void(word, types.uint64, types.uint32, word))(on_instruction)}


def on_instruction(engine: int, address: int, size: int, state: int) -> None:
    """UC_HOOK_CODE: the engine, the instruction's address and size, and the state as user data."""
    s = state_at(state)
    if peek(s.edge) != s.last_edge:
        _on_edge(s)
    descriptor = peek(s.descriptors + address * DESCRIPTOR_STEP)
    if descriptor != 0:
        if descriptor & ENTRY:
            fetch(s, step_at(s.step))
        if descriptor & PRESENT:
            _on_access(s, address, descriptor)
