"""Device registers that the embedded emulator has no model of: they keep what is written.

Start-up code waits for clocks, oscillators and power regulators by polling such registers for a change that no model
here makes. A register that is read over and over without being written therefore begins to answer something else: its
bits inverted, as it was, a growing count, all kinds of bits, in turn and always in the same way. That gets programs
past their start-up; `made_up` says where it was done, so that nobody takes such answers for those of a device.
"""

from __future__ import annotations

_PATIENCE = 64  # reads without a write, after which a register is taken to be waited for
_MIX = 0x9E3779B1  # 2**32 divided by the golden ratio: multiples of it are well spread bits


class DeviceRegisters:
    """Words by address, zero at first."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._words: dict[int, int] = {}
        self._reads: dict[int, int] = {}
        self.made_up: set[int] = set()

    def read(self, offset: int, size: int) -> int:
        """What a read of `size` bytes at `offset` from the base gives."""
        address = self._base + offset
        at, shift = address & ~3, 8 * (address & 3)
        value = self._words.get(at, 0)
        reads = self._reads[at] = self._reads.get(at, 0) + 1
        if reads > _PATIENCE:
            self.made_up.add(at)
            value = _answer(value, reads - _PATIENCE - 1)
        return value >> shift & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """What a write does; it also makes the register be believed again."""
        address = self._base + offset
        at, shift = address & ~3, 8 * (address & 3)
        mask = ((1 << 8 * size) - 1) << shift & 0xFFFFFFFF
        self._words[at] = self._words.get(at, 0) & ~mask | value << shift & mask
        self._reads.pop(at, None)


def _answer(value: int, nth: int) -> int:
    """The nth made-up answer of a register that holds `value`."""
    turn = nth // 4
    answers = (~value, value, value + (turn + 1) * 0x101, turn * _MIX)
    return answers[nth % 4] & 0xFFFFFFFF
