"""What all peripherals of nRF have in common: tasks, events, and interrupts of events (Nordic nRF52840 PS v1.7, 6.1)."""

from __future__ import annotations

from mcu_harness.emulator.unicorn.peripherals.registers import Registers, Wiring

EVENTS = 0x100
SHORTS = 0x200
_INTEN, _INTENSET, _INTENCLR = 0x300, 0x304, 0x308


class NrfRegisters(Registers):
    """A task is a write of 1 below `EVENTS`; an event is a register that becomes 1, and its number is its bit in INTEN."""

    def __init__(self, base: int, irq: int | None, wiring: Wiring) -> None:
        super().__init__()
        self._base = base
        self._irq = irq
        self._wiring = wiring

    def load(self, at: int) -> int:
        return super().load(_INTEN if at in (_INTENSET, _INTENCLR) else at)

    def store(self, at: int, value: int, mask: int) -> None:
        words = self.words
        if at == _INTENSET:
            words[_INTEN] = words.get(_INTEN, 0) | value
        elif at == _INTENCLR:
            words[_INTEN] = words.get(_INTEN, 0) & ~value
        elif at < EVENTS:
            if value & 1:
                self.task(at)
        else:
            super().store(at, value, mask)
        self.ask()

    def task(self, at: int) -> None:
        """The task of the register at `at` is started."""

    def happen(self, event: int) -> None:
        """The event of the register at `event` happens, which may start tasks elsewhere."""
        self.words[event] = 1
        self._wiring.events.happened(self._base + event)

    def interrupts(self, event: int) -> bool:
        """Whether that event is to make an interrupt."""
        return bool(self.words.get(_INTEN, 0) >> (event - EVENTS) // 4 & 1)

    def is_awaited(self, event: int) -> bool:
        """Whether anybody is told when that event happens."""
        return self.interrupts(event) or self._wiring.events.awaited(self._base + event)

    def ask(self) -> None:
        """Ask for the interrupt while an event that makes one is there, and no longer."""
        asks = any(value and self.interrupts(at) for at, value in self.words.items() if EVENTS <= at < EVENTS + 0x80)
        self._wiring.interrupt(self._irq, self._base, asks)
