"""Exceptions of the core: what they are called, and whose handler a function is, by the vector table."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.base.text import one_line
from mcu_harness.image.program import Program

# Exceptions of M-profile cores by number (Armv7-M ARM, DDI 0403, B1.5.2; SecureFault: DDI 0553).
_EXCEPTIONS = {
    2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault", 7: "SecureFault",
    11: "SVCall", 12: "DebugMonitor", 14: "PendSV", 15: "SysTick",
}  # fmt: skip
FAULTS = range(3, 8)
_FIRST_INTERRUPT = 16
_MOST_VECTORS = 16 + 480


def exception_name(number: int) -> str:
    """ "HardFault", "interrupt 37": what the exception with that number is called."""
    return _EXCEPTIONS.get(number, f"interrupt {number - _FIRST_INTERRUPT}")


def vectors_of(program: Program, table: int | None, function: tuple[int, int]) -> list[int]:
    """Numbers of the exceptions whose vectors lead into [start, end), by the table at `table`."""
    data = b"" if table is None else program.loaded_bytes(table, 4 * _MOST_VECTORS)
    found = []
    for number in range(2, len(data) // 4):
        vector = int.from_bytes(data[4 * number : 4 * number + 4], "little")
        if not vector:
            continue
        if not vector & 1 or not any(start <= vector < end for start, end in program.code_ranges):
            break  # the table has no length: it ends where a word can be no handler
        if function[0] <= vector & ~1 < function[1]:
            found.append(number)
    return found


def vectors_text(numbers: Sequence[int]) -> str:
    """Names of exceptions, interrupts only counted where they are many."""
    system = [exception_name(number) for number in numbers if number < _FIRST_INTERRUPT]
    interrupts = [number - _FIRST_INTERRUPT for number in numbers if number >= _FIRST_INTERRUPT]
    if len(interrupts) > 4:
        system.append(f"{len(interrupts)} interrupts")
    else:
        system += [f"interrupt {number}" for number in interrupts]
    return one_line(", ".join(system))
