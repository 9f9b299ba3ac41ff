"""The linker script of a board: firmware/runtime/board.ld with the board's memories and console filled in."""

from __future__ import annotations

from mcu_harness.hardware.board import Board, Memory, RegisterStep
from mcu_harness.image import placed
from mcu_harness.image.placed import Placement

# Longer than any microcontroller's memory, so that everything links (see board.ld).
_ROOM = 256 << 20
_STACK_ALIGNMENT = 8  # AAPCS, 6.2.1.2


def render(template: str, board: Board, placement: Placement = ()) -> str:
    """The text of `template` (board.ld) for `board`, with what is placed elsewhere. A board file's text is never filled in."""
    code, data = board.code_memory, board.data_memory
    start = code.origin + board.vector_offset
    shared = code is data or code.name == data.name
    fields = {
        "STACK_TOP": f"{data.end // _STACK_ALIGNMENT * _STACK_ALIGNMENT & 0xFFFFFFFF:#010x}",
        "CODE_ORIGIN": f"{start:#010x}",
        "CODE_LENGTH": f"{_length(start):#x}",
        "DATA_REGION": "" if shared else _region(data),
        "DATA_PLACE": "> CODE" if shared else "> DATA AT > CODE",
        "DATA": "CODE" if shared else "DATA",
        "PLACED_REGIONS": placed.regions(placement, board),
        "PLACED_SEGMENTS": placed.segments(placement),
        "PLACED_SECTIONS": placed.sections(placement, board),
        "VECTORS": "vectors" if placement else "code",
        "PLACED_TABLE": placed.table(placement),
        "CONSOLE_BASE": f"{board.console.base:#010x}",
        "CONSOLE_ENABLE": _table(board.console.enable),
    }
    for name, text in fields.items():
        line = f"@{name}@\n"  # a line of its own goes where there is nothing to say
        template = template.replace(line, f"{text}\n" if text else "").replace(f"@{name}@", text)
    return template


def _region(data: Memory) -> str:
    return f"    DATA (rwx) : ORIGIN = {data.origin:#010x}, LENGTH = {_length(data.origin):#x}"


def _table(steps: tuple[RegisterStep, ...]) -> str:
    """As runtime/console.c reads them: address and bits, clearing where bit 0 of the address is set."""
    words: list[tuple[int, int]] = []
    for step in steps:
        words += [(step.address | 1, step.clear)] if step.clear else []
        words += [(step.address, step.set)] if step.set else []
    return "\n".join(f"        LONG({address:#010x}) LONG({bits:#010x})" for address, bits in words)


def _length(origin: int) -> int:
    return min(_ROOM, (1 << 32) - origin)
