"""Where a jump to an even address went, from what newer versions of Renode leave of it.

Up to 1.15 the program counter is the target, as on silicon. Since then the exception comes before it is written: it still
lies somewhere in the block that the jump ends. Which of both a Renode does is seen by the kind of its exception.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.hardware.arm.thumb import instruction_size

_MOST_INSTRUCTIONS = 512  # of a block
_BX_BLX, _BX_BLX_MASK, _REGISTER = 0x4700, 0xFF07, 0x78
_BLX, _BLX_MASK = 0x4780, 0xFF87
_POP_PC, _POP_PC_MASK = 0xBD00, 0xFF00
_POP_WIDE, _POP_WIDE_PC = 0xE8BD, 0x8000
_NAMES = (*(f"r{i}" for i in range(13)), "sp", "lr", "pc")


def even_jump(
    pc: int, registers: dict[str, int], code: Callable[[int, int], bytes], word: Callable[[int], int | None]
) -> tuple[int, int] | None:
    """(the jump, its target) of the block that `pc` lies in; None where that cannot be told from its code.

    `code(address, size)` and `word(address)` are the program's memory, as far as it is known.
    """
    for _ in range(_MOST_INSTRUCTIONS):
        first = _halfword(code, pc)
        if first is None:
            return None
        if first & _BX_BLX_MASK == _BX_BLX:
            target: int | None = registers[_NAMES[(first & _REGISTER) >> 3]]
        elif first & _POP_PC_MASK == _POP_PC:
            target = word(registers["sp"] - 4)  # all was popped already
        elif first == _POP_WIDE and (_halfword(code, pc + 2) or 0) & _POP_WIDE_PC:
            target = word(registers["sp"] - 4)
        else:
            pc += instruction_size(first)
            continue
        return None if target is None or target & 1 else (pc, target)
    return None


def is_call(jump: bytes) -> bool:
    """Whether that instruction, one that was found, leaves a return address: BLX."""
    return len(jump) == 2 and int.from_bytes(jump, "little") & _BLX_MASK == _BLX


def _halfword(code: Callable[[int, int], bytes], address: int) -> int | None:
    data = code(address, 2)
    return int.from_bytes(data, "little") if len(data) == 2 else None
