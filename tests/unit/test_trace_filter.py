"""The filter before the memory trace calls on exactly where there is something to do."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from harness.emulator import trace_filter
from harness.emulator import trace_native as native

HOOK = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64)


@pytest.mark.parametrize(
    ("edge", "descriptor", "called"), [(5, 0, False), (5, 1 << 40, True), (6, 0, True), (6, 1, True)]
)
def test_only_a_new_edge_or_an_access_gets_through(edge: int, descriptor: int, called: bool) -> None:
    calls: list[tuple[int, ...]] = []
    callback = HOOK(lambda *arguments: calls.append(arguments))
    state, table, now = np.zeros(native.STATE_WORDS, np.int64), np.zeros(8, np.int64), np.array([edge], np.int64)
    address = 0x0800_0006
    table[3] = descriptor
    state[native.EDGE // 8], state[native.LAST_EDGE // 8] = now.ctypes.data, 5
    state[native.DESCRIPTORS // 8] = table.ctypes.data - 0x0800_0000 // native.HALFWORD * 8
    target = ctypes.cast(callback, ctypes.c_void_p).value
    assert target is not None
    HOOK(trace_filter.filtered(target))(77, address, 2, state.ctypes.data)
    assert calls == ([(77, address, 2, state.ctypes.data)] if called else [])


def test_an_llvm_that_cannot_read_it_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_filter, "_TEXT", "define void @filter() {{ nonsense {edge} }}")
    assert trace_filter.filtered(0x1234) == 0x1234
