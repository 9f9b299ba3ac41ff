"""What all models of peripherals are made of: registers of 32 bits that are read and written in any width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_WORD = 0xFFFFFFFF


@dataclass(slots=True)
class Events:
    """Where events of peripherals, by the addresses of their registers, are told: nowhere, if nothing connects them.

    `version` is another after each change of what is connected.
    """

    happened: Callable[[int], None] = lambda _: None
    awaited: Callable[[int], bool] = lambda _: False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a peripheral is connected to: the time in cycles, the memories, the core's interrupts, other registers."""

    now: Callable[[], int]
    peek: Callable[[int, int], bytes | None]
    poke: Callable[[int, bytes], None]
    interrupt: Callable[[int | None, int, bool], None]  # number, who asks, whether it asks
    word: Callable[[int], int]  # what the program has written to a register that no model has
    events: Events = field(default_factory=Events)


class Registers:
    """Keeps what is written. A kind of peripheral says in `load` and `store` what its registers do.

    State is in plain attributes alone: snapshots are made of these.
    """

    def __init__(self, reset: Mapping[int, int] | None = None) -> None:
        self.words: dict[int, int] = dict(reset or {})

    def read(self, offset: int, size: int) -> int:
        """As `Device`."""
        return self.load(offset & ~3) >> 8 * (offset & 3)

    def write(self, offset: int, size: int, value: int) -> None:
        """As `Device`."""
        shift = 8 * (offset & 3)
        mask = (1 << 8 * size) - 1 << shift & _WORD
        self.store(offset & ~3, value << shift & mask, mask)

    def load(self, at: int) -> int:
        """The register at `at`, and what reading it does."""
        return self.words.get(at, 0)

    def store(self, at: int, value: int, mask: int) -> None:
        """The bits `mask` of the register at `at` are written with `value`, which has no others."""
        self.words[at] = self.words.get(at, 0) & ~mask | value


class AtomicRegisters(Registers):
    """Registers of RP2040 and RP2350, which are also changed by writes to aliases: XOR, set, clear (datasheet, 2.1.2)."""

    def write(self, offset: int, size: int, value: int) -> None:
        kind, offset = offset >> 12, offset & 0xFFF
        at = offset & ~3
        value = (value & (1 << 8 * size) - 1) << 8 * (offset & 3) & _WORD
        before = self.words.get(at, 0)
        if kind == 0:
            super().write(offset, 4, value)
            return
        self.store(at, (before ^ value, before | value, before & ~value)[kind - 1] & _WORD, _WORD)

    def read(self, offset: int, size: int) -> int:
        return super().read(offset & 0xFFF, size)
