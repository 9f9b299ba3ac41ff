"""The stack pointer and what it is computed from, along a stretch of code: offsets and constants, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from mcu_harness.hardware.arm.decoder import decoded
from mcu_harness.hardware.arm.stack_effect import LR, PC, SP, Do, Effect

_MASK = 0xFFFFFFFF
_LOST_IN_CALLS = (0, 1, 2, 3, 12, LR)
_LARGEST_ALIGNMENT = 255
VARIABLE = "moves its stack pointer by what is only known at run time (alloca, an array of variable length)"


@cache
def _writes(code: bytes) -> frozenset[int]:
    """The core registers that an instruction writes."""
    from capstone import arm  # not at the top: few programs need it here, and nothing else that imports this

    numbers = {arm.ARM_REG_R0 + n: n for n in range(13)}
    numbers |= {arm.ARM_REG_SP: SP, arm.ARM_REG_LR: LR, arm.ARM_REG_PC: PC}
    written = [register for one in decoded(code, 0, 1) for register in one.regs_access()[1]]
    return frozenset(numbers[register] for register in written if register in numbers)


@dataclass(frozen=True, slots=True)
class Value:
    """A number, or, `on_stack`, an offset from the stack pointer at the function's entry."""

    on_stack: bool
    number: int


@dataclass(slots=True)
class Registers:
    """`depth` is how many bytes the stack pointer lies below where it was at the function's entry.

    `values` are other registers; they are followed only where `computed` says that the stack pointer comes from one.
    `unknown` says why the stack may be deeper, "" where it may not.
    """

    computed: bool
    depth: int = 0
    unknown: str = ""
    values: dict[int, Value] = field(default_factory=dict)
    popped: frozenset[int] = frozenset()  # by the last instruction that moved the stack pointer up

    def copy(self) -> Registers:
        return Registers(self.computed, self.depth, self.unknown, dict(self.values), self.popped)

    def step(self, effect: Effect | None, code: bytes, word: Callable[[int], int | None]) -> None:
        """Over the instruction `code`, whose effect is known; `word` reads the image."""
        if effect is not None and effect.register == SP and effect.source == SP and effect.do is Do.MOVE:
            self.depth -= effect.amount
            if self.computed:
                self.popped = _writes(code) if effect.amount > 0 else frozenset()
            effect = None
        elif effect is not None and not self.computed:
            if effect.register == SP:
                self.unknown = VARIABLE
            return
        if effect is None:
            if self.values:
                self._forget(code)
            return
        value = self._value(effect, word)
        if effect.register == SP:
            if value is None and effect.do is Do.MOVE and effect.source in self.popped:
                self.depth = 0  # a stack pointer that was saved on the stack
            else:
                self._set_stack(value)
        elif value is None:
            self.values.pop(effect.register, None)
        else:
            self.values[effect.register] = value

    def called(self) -> None:
        """Over a call."""
        for register in _LOST_IN_CALLS:
            self.values.pop(register, None)

    def _set_stack(self, value: Value | None) -> None:
        if value is None:
            self.unknown = VARIABLE
        else:  # an address is another stack, used from its top
            self.depth = -value.number if value.on_stack else 0

    def _forget(self, code: bytes) -> None:
        """Whatever the instruction writes is not known any more."""
        for register in _writes(code):
            self.values.pop(register, None)

    def _of(self, register: int) -> Value | None:
        return Value(True, -self.depth) if register == SP else self.values.get(register)

    def _value(self, effect: Effect, word: Callable[[int], int | None]) -> Value | None:
        if effect.do is Do.CONSTANT:
            return Value(False, effect.amount)
        if effect.do is Do.LITERAL:
            found = word(effect.amount)
            return None if found is None else Value(False, _signed(found))
        source = self._of(effect.register if effect.do is Do.TOP else effect.source)
        if source is None:
            return None
        if effect.do is Do.MOVE:
            return Value(source.on_stack, source.number + effect.amount)
        if effect.do in (Do.SUM, Do.DIFFERENCE):
            return _combined(effect, source, self._of(effect.other))
        if effect.do is Do.ALIGN and source.on_stack and effect.amount <= _LARGEST_ALIGNMENT:
            return Value(True, source.number - (effect.amount & ~3))  # at most: it may be aligned already
        if source.on_stack:
            return None
        if effect.do is Do.TOP:
            return Value(False, _signed(source.number & 0xFFFF | effect.amount << 16))
        if effect.do is Do.SHIFT:
            return Value(False, _signed(source.number << effect.amount))
        return Value(False, -source.number) if effect.do is Do.NEGATE else None


def _combined(effect: Effect, source: Value, other: Value | None) -> Value | None:
    if other is None or (effect.amount and other.on_stack):
        return None
    if effect.do is Do.SUM:
        if source.on_stack and other.on_stack:
            return None
        return Value(source.on_stack or other.on_stack, _signed(source.number + (other.number << effect.amount)))
    if other.on_stack:
        return Value(False, source.number - other.number) if source.on_stack else None
    return Value(source.on_stack, _signed(source.number - (other.number << effect.amount)))


def _signed(value: int) -> int:
    value &= _MASK
    return value - (1 << 32) if value >> 31 else value
