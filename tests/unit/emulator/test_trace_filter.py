"""The filter before the memory trace calls on exactly where there is something to do."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from mcu_harness.emulator.trace import access_filter, access_hook

HOOK = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint64)


@pytest.mark.parametrize(
    ("edge", "descriptor", "called"), [(5, 0, False), (5, 1 << 40, True), (6, 0, True), (6, 1, True)]
)
def test_only_a_new_edge_or_an_access_gets_through(edge: int, descriptor: int, called: bool) -> None:
    calls: list[tuple[int, ...]] = []
    callback = HOOK(lambda *arguments: calls.append(arguments))
    state, table, now = np.zeros(access_hook.STATE_WORDS, np.int64), np.zeros(8, np.int64), np.array([edge], np.int64)
    address = 0x0800_0006
    table[3] = descriptor
    state[access_hook.EDGE // 8], state[access_hook.LAST_EDGE // 8] = now.ctypes.data, 5
    state[access_hook.DESCRIPTORS // 8] = table.ctypes.data - 0x0800_0000 // access_hook.HALFWORD * 8
    target = ctypes.cast(callback, ctypes.c_void_p).value
    assert target is not None
    HOOK(access_filter.filtered(target))(77, address, 2, state.ctypes.data)
    assert calls == ([(77, address, 2, state.ctypes.data)] if called else [])


def test_an_llvm_that_cannot_read_it_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_filter, "_TEXT", "define void @filter() {{ nonsense {edge} }}")
    assert access_filter.filtered(0x1234) == 0x1234
