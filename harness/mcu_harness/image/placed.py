"""Code, constants and zeroed data that lie elsewhere than firmware usually has them: in a memory that keeps the core waiting less.

The linker collects them by the sections that compilers make of functions and constants (-ffunction-sections, -fdata-sections); the start-up
code copies what has initial bytes from flash, and zeroes the rest (firmware/runtime/startup.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcu_harness.base.errors import HarnessError
from mcu_harness.hardware.board import Board, Memory
from mcu_harness.image.program import Program

# Nothing lies at address 0: a pointer to it would be none.
_NULL_BYTES = 32


class PlacedKind(StrEnum):
    """What is placed, by the beginning of its sections' names."""

    CODE = ".text"
    CONSTANTS = ".rodata"
    ZEROED = ".bss"


@dataclass(frozen=True, slots=True)
class Placed:
    """`symbols` of one kind lie in the board's memory of that name."""

    memory: str
    kind: PlacedKind
    symbols: tuple[str, ...]


Placement = tuple[Placed, ...]


def regions(placement: Placement, board: Board) -> str:
    """The lines of MEMORY for the memories that the linker script has not anyway."""
    named = dict.fromkeys(one.memory for one in placement if one.memory != board.data)
    lines = []
    for name in named:
        memory = board.memory(name)
        start = first_address(memory)
        lines.append(f"    {_region(name, board)} (rwx) : ORIGIN = {start:#010x}, LENGTH = {memory.end - start:#x}")
    return "\n".join(lines)


def first_address(memory: Memory) -> int:
    """Where in `memory` something can be placed."""
    return memory.origin or _NULL_BYTES


def segments(placement: Placement) -> str:
    """The lines of PHDRS: a segment for each, since they lie elsewhere than they are stored, and one for the vectors before them."""
    if not placement:
        return ""
    flags = {PlacedKind.CODE: 5, PlacedKind.CONSTANTS: 6, PlacedKind.ZEROED: 6}
    lines = [f"    placed_{nth} PT_LOAD FLAGS({flags[one.kind]});" for nth, one in enumerate(placement)]
    return "\n".join(["    vectors PT_LOAD FLAGS(5);", *lines])


def sections(placement: Placement, board: Board) -> str:
    """The output sections, which must stand before those that would take everything of their kind."""
    return "\n".join(_section(nth, one, board) for nth, one in enumerate(placement))


def _section(nth: int, one: Placed, board: Board) -> str:
    zeroed = one.kind is PlacedKind.ZEROED
    inputs = "\n".join(f"        *({one.kind}.{symbol})" for symbol in one.symbols)
    return (
        f"    .placed_{nth}{' (NOLOAD)' if zeroed else ''} : ALIGN(16)\n    {{\n        __placed_{nth}_start = .;\n{inputs}\n"
        f"        . = ALIGN(4);\n        __placed_{nth}_end = .;\n"
        f"    }} > {_region(one.memory, board)}{'' if zeroed else ' AT > CODE'} : placed_{nth}\n"
    )


def table(placement: Placement) -> str:
    """What the start-up code walks along: from where to where, and from where it is copied, 0 for what is zeroed."""
    rows = []
    for nth, one in enumerate(placement):
        load = "0" if one.kind is PlacedKind.ZEROED else f"LOADADDR(.placed_{nth})"
        rows.append(f"        LONG(__placed_{nth}_start) LONG(__placed_{nth}_end) LONG({load})")
    return "\n".join(["        __placed_table_start = .;", *rows, "        __placed_table_end = .;"]) if rows else ""


def _region(memory: str, board: Board) -> str:
    """Names of memories are text of board files."""
    return "DATA" if memory == board.data else f"PLACED_{[each.name for each in board.memories].index(memory)}"


def check_placed(placement: Placement, program: Program, board: Board) -> None:
    """Raise HarnessError where something does not lie where it was to be placed."""
    for one in placement:
        memory = board.memory(one.memory)
        for name in one.symbols:
            for address in _addresses(program, name):
                if not memory.holds(address & ~1):
                    raise HarnessError(
                        f"placement: {name} was to lie in {one.memory}, and the linker put it at {address:#010x}",
                        hint="take another compiler, or leave placement out",
                    )


def _addresses(program: Program, name: str) -> Sequence[int]:
    return [symbol.address for symbol in program.symbols if symbol.name == name]
