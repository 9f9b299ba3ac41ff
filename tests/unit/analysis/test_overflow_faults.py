"""Which faults are a stack's overflow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mcu_harness.analysis.diagnose.stack import is_overflow_fault
from mcu_harness.emulator.contract import ExitReason, Fault, FaultKind


def case(stack: tuple[int, int], address: int, pointer: int) -> Any:
    fault = Fault(FaultKind.READ, address, 4)
    execution = SimpleNamespace(reason=ExitReason.FAULT, fault=fault, registers={"sp": pointer})
    return SimpleNamespace(execution=execution, firmware=SimpleNamespace(plan=SimpleNamespace(stack=stack)))


@pytest.mark.parametrize(
    ("stack", "address", "pointer", "is_overflow"),
    [
        ((0x20001000, 0x20002000), 0x20000FF8, 0x20000FF8, True),
        ((0x20001000, 0x20002000), 0x20000FF8, 0x20001800, False),  # the stack pointer is far from its end
        ((0x20040000, 0x20040000), 0x10000130, 0x2003FFF8, False),  # sections take all of the RAM: its end is not known
        ((0, 0), 0x10000130, 0x2003FFF8, False),
    ],
)
def test_an_overflow_is_an_access_by_a_pointer_at_the_end_of_a_known_stack(
    stack: tuple[int, int], address: int, pointer: int, is_overflow: bool
) -> None:
    assert is_overflow_fault(case(stack, address, pointer)) is is_overflow
