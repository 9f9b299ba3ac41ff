"""The filter before the memory trace calls on exactly where there is something to do."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from mcu_harness.emulator.trace import access_filter
from mcu_harness.emulator.trace.layout import DESCRIPTOR_STEP, TraceState

HOOK = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64)


@pytest.mark.parametrize(
    ("edge", "descriptor", "called"), [(5, 0, False), (5, 1 << 40, True), (6, 0, True), (6, 1, True)]
)
def test_only_a_new_edge_or_an_access_gets_through(edge: int, descriptor: int, called: bool) -> None:
    calls: list[tuple[int, ...]] = []
    callback = HOOK(lambda *arguments: calls.append(arguments))
    state, table, now = TraceState.new(), np.zeros(8, np.int64), np.array([edge], np.int64)
    address = 0x0800_0006
    table[3] = descriptor
    state.edge, state.last_edge = int(now.ctypes.data), 5
    state.descriptors = int(table.ctypes.data) - 0x0800_0000 * DESCRIPTOR_STEP
    target = ctypes.cast(callback, ctypes.c_void_p).value
    assert target is not None
    HOOK(access_filter.filtered(target))(77, address, 2, state.address)
    assert calls == ([(77, address, 2, state.address)] if called else [])


def test_an_llvm_that_cannot_read_it_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_filter, "_TEXT", "define void @filter() {{ nonsense {edge} }}")
    assert access_filter.filtered(0x1234) == 0x1234
