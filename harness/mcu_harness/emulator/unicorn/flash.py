"""Registers of a flash controller: they keep the bits that silicon has, locks need their keys, and writes to flash their leave."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from mcu_harness.hardware.board import FlashController
from mcu_harness.hardware.flash_controllers import Lock

_WORD = 0xFFFF_FFFF


class FlashRegisters:
    """Registers by offset from the controller's base; `allow(yes)` is called when programs may write to flash, or no longer may."""

    def __init__(self, controller: FlashController, allow: Callable[[bool], None]) -> None:
        self._family = controller.family
        self._allow = allow
        self._bits = MappingProxyType(dict(self._family.registers))
        self._words = {at: bits.fixed | bits.reset for at, bits in self._bits.items()}
        self._first: set[int] = set()  # key registers that have had the first of their keys
        self._refused: set[int] = set()  # those that had something else: locked until reset
        self._commanded = self._done = False
        self.tell()

    @property
    def may_write(self) -> bool:
        """Whether the program may write to flash now."""
        family = self._family
        if family.command:
            return self._commanded
        return any(self._words.get(at, 0) & family.mask == family.value for at in family.controls)

    def tell(self) -> None:
        """Say whether flash may be written; after registers were put back too."""
        self._allow(self.may_write)

    def read(self, offset: int, size: int) -> int:
        """What a read of `size` bytes gives."""
        at, word = offset & ~3, self._words.get(offset & ~3, 0)
        if self._family.done is not None and at == self._family.done[0] and (self._done or self.may_write):
            word |= self._family.done[1]
        return word >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """What a write does."""
        at, shift, family = offset & ~3, 8 * (offset & 3), self._family
        written = ((1 << 8 * size) - 1) << shift & _WORD
        before = self._words.get(at, 0)
        value = value << shift & written
        for lock in family.locks:
            if at == lock.key_register:
                self._key(lock, value)
        if family.done is not None and at == family.done[0] and value & family.done[1]:
            self._done = False
        held = 0
        for lock in family.locks:
            if at == lock.register and before & lock.bit:
                held |= lock.holds
        if at in family.controls and not held:
            self._done |= bool(value & family.start)
            self._commanded |= family.command and value & family.mask == family.value
        bits = self._bits.get(at)
        if bits is None:
            self._words[at] = before & ~written | value
        else:
            free = written & ~held
            now = before & ~free | value & free
            self._words[at] = now & bits.kept | bits.fixed | (before | value & free) & bits.locks
        self.tell()

    def _key(self, lock: Lock, value: int) -> None:
        at, locked = lock.key_register, self._words[lock.register]
        if at in self._refused or not locked & lock.bit or locked & lock.after:
            return
        if value != lock.keys[at in self._first]:
            self._refused.add(at)
        elif at in self._first:
            self._first.discard(at)
            self._words[lock.register] = locked & ~lock.bit
        else:
            self._first.add(at)
