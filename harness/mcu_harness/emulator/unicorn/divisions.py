"""Divisions by zero, which are a fault once a program has set CCR.DIV_0_TRP, and give 0 in every emulator.

The places of SDIV and UDIV are found in the image before the run, so that only they have to be looked at (Armv7-M ARM,
DDI 0403: A7.7.127, A7.7.195). Those in an IT block (A7.7.38) are not: Unicorn calls hooks for instructions that are
skipped too, and does not stop there. Compilers put them there where they have tested the divisor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from unicorn import arm_const

from mcu_harness.emulator.recorder.compiled_code import addresses
from mcu_harness.emulator.recorder.rows import Table, aligned
from mcu_harness.emulator.unicorn.division_row import Division
from mcu_harness.hardware.arm.thumb import ItBlocks, instruction_size
from mcu_harness.image.program import Program

_MOST_SITES = 512  # every instruction that is translated is compared with all of them


@dataclass(frozen=True, slots=True)
class Site:
    """A division at `address` by the register r`divisor`."""

    address: int
    divisor: int


def division_sites(program: Program) -> list[Site]:
    """All divisions of `program`; of very many, the first."""
    found: list[Site] = []
    for start, end in program.code_ranges:
        found += _sites(program.bytes_at(start, end - start), start)
    return found[:_MOST_SITES]


def _sites(code: bytes, start: int) -> Iterator[Site]:
    at, it_blocks = 0, ItBlocks()
    while at + 2 <= len(code):
        first = int.from_bytes(code[at : at + 2], "little")
        second = int.from_bytes(code[at + 2 : at + 4], "little")
        if not it_blocks.is_skippable(first) and first & 0xFFD0 == 0xFB90 and second & 0xF0F0 == 0xF0F0:
            yield Site(start + at, second & 0xF)
        at += instruction_size(first)


class DivisionWatch:
    """What the compiled callback needs to know of each place; `traps` is set when the program asks for the fault."""

    def __init__(self, program: Program, reg_read: int, emu_stop: int) -> None:
        """`reg_read` and `emu_stop` are the C addresses of uc_reg_read and uc_emu_stop."""
        self._traps = aligned(1)
        self._sites = division_sites(program)
        self._rows = Table(Division, len(self._sites))
        for nth, site in enumerate(self._sites):
            row = self._rows.row(nth)
            row.divisor, row.traps = getattr(arm_const, f"UC_ARM_REG_R{site.divisor}"), int(self._traps.ctypes.data)
            row.reg_read, row.emu_stop = reg_read, emu_stop

    def set_traps(self, on: bool) -> None:
        """Whether a division by zero is a fault from now on."""
        self._traps[0] = on

    @property
    def hit(self) -> bool:
        """Whether a division by zero has stopped the run, before it was executed."""
        return bool(self._rows.rows["hit"].any())

    def hooks(self) -> Iterator[tuple[int, int, int]]:
        """(C address of the callback, its user data, the instruction's address) of each place."""
        if self._sites:
            callback = compiled()
            for nth, site in enumerate(self._sites):
                yield callback, self._rows.row(nth).address, site.address


@cache
def compiled() -> int:
    """The C address of `native_division.on_division`."""
    (address,) = addresses((Path(__file__).parent,), ("on_division",), _make)
    return address


def _make() -> Mapping[str, Any]:
    from mcu_harness.emulator.unicorn.native_division import entries  # numba: only where there is something to compile

    return entries()
