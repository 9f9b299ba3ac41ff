"""The one disassembler: capstone, set to Thumb code of the M profile with all that Armv8-M has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any


@cache
def _engine() -> Any:
    import capstone  # not at the top: it takes longer to load than most of what imports this

    mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
    engine = capstone.Cs(capstone.CS_ARCH_ARM, mode)
    engine.detail = True
    return engine


def decoded(code: bytes, address: int, most: int = 0) -> Iterator[Any]:
    """capstone's instructions (`CsInsn`, with operands) from the start of `code` up to what it does not know; `most` 0: all."""
    yield from _engine().disasm(code, address, most)


def disassembled(code: bytes, address: int) -> str:
    """The instruction as an assembler writes it, its halfwords where nobody knows it."""
    for one in decoded(code, address, 1):
        return f"{one.mnemonic} {one.op_str}".strip()
    return " ".join(f"{int.from_bytes(code[at : at + 2], 'little'):04x}" for at in range(0, len(code), 2))
