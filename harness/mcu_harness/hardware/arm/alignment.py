"""Which accesses a core does not do because of their address (Armv7-M ARM, DDI 0403, A3.2.1; Armv6-M, DDI 0419, A3.2)."""

from __future__ import annotations

from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.hardware.core import Core

_WORD = 4


def unaligned(address: int, size: int, core: Core, code: bytes = b"", traps: bool = False) -> bool:
    """Whether an access of `size` bytes at `address` is an alignment fault on `core`.

    `code` is the instruction: those that move several words, and exclusive ones, must be aligned on every core (the
    accesses of one are asked about one by one). `traps`: the program has set CCR.UNALIGN_TRP, after which every core
    is strict. Armv6-M and the Armv8-M baseline always are.
    """
    strict = traps or not core.architecture.has_unaligned or (bool(code) and _must_be_aligned(code))
    return strict and address % min(size, _WORD) != 0


def _must_be_aligned(code: bytes) -> bool:
    first = int.from_bytes(code[:2], "little")
    if instruction_size(first) == 2:
        return first >> 12 == 0b1100 or first & 0xFE00 in (0xB400, 0xBC00)  # LDM, STM; PUSH; POP
    # LDM, STM, LDRD, STRD, exclusive and ordered accesses (A5.3.5, A5.3.6); loads and stores of the FPU (A6.6).
    return first & 0xFE00 in (0xE800, 0xEC00)
