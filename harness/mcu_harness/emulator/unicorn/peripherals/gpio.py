"""A GPIO port: what the program drives, what is driven from outside, and the level that follows for each pin."""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.unicorn.peripherals.registers import Registers
from mcu_harness.hardware.gpios import Field, Gpio

_MOST_EDGES = 1 << 20  # of a port that are kept


class GpioPort(Registers):
    """`now()` is the time; `on_edge(pin, level)` is called when a pin's level changes, `on_level()` after all of them.

    `pulls(pin)` gives what a pin is pulled to where other registers say so.
    """

    def __init__(self, gpio: Gpio, now: Callable[[], int], pulls: Callable[[int], int] | None = None) -> None:
        super().__init__(gpio.reset)
        self._gpio = gpio
        self._now = now
        self._pulls = pulls
        self._all = (1 << gpio.pins) - 1
        self.on_edge: Callable[[int, int], None] = lambda _pin, _level: None
        self.on_level: Callable[[], None] = lambda: None
        self.edges: list[tuple[int, int, int]] = []  # when, which pin, to which level
        self.driven = 0  # pins that are driven from outside
        self.outside = 0  # to which levels
        self.levels = 0
        self._pushed = self._sunk = self._pulled_up = self._by_output = self._analog = 0
        self._look_at_modes()

    @property
    def count(self) -> int:
        """How many pins it has."""
        return self._gpio.pins

    @property
    def pulled_elsewhere(self) -> bool:
        """Whether other registers say what pins are pulled to."""
        return self._pulls is not None

    # From outside.

    def drive(self, pin: int, level: int | None) -> None:
        """Drive a pin to `level`, or let it go."""
        bit = 1 << pin
        self.driven = self.driven & ~bit if level is None else self.driven | bit
        self.outside = self.outside | bit if level else self.outside & ~bit
        self.look()

    def mode(self, pin: int) -> str:
        """What the pin is used as: "input", "output", "alternate" (of a peripheral), "analog"."""
        return self._gpio.modes.get(self._field(self._gpio.mode, pin), "alternate")

    # From the program.

    def load(self, at: int) -> int:
        gpio = self._gpio
        if at == gpio.input:
            return self.levels & ~self._analog
        if at in (gpio.set, gpio.clear, gpio.toggle) and at is not None:
            return self.words.get(gpio.output, 0) if gpio.latch is not None else 0
        if at in (gpio.direction_set, gpio.direction_clear):
            return self.words.get(gpio.direction or 0, 0)
        return 0 if at == gpio.set_clear else super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        gpio = self._gpio
        if at == gpio.input:
            return
        if at == gpio.set_clear:
            self._change(gpio.output, value & 0xFFFF, value >> 16 & ~value)
        elif at in (gpio.set, gpio.clear, gpio.toggle):
            self._changed_by(gpio.output, at, value, (gpio.set, gpio.clear))
        elif at in (gpio.direction_set, gpio.direction_clear, gpio.direction_toggle):
            assert gpio.direction is not None
            self._changed_by(gpio.direction, at, value, (gpio.direction_set, gpio.direction_clear))
            self._directions_to_modes()
        elif at == gpio.latch:
            self.words[at] = self.words.get(at, 0) & ~value
        else:
            super().store(at, value, mask)
            if at == gpio.direction:
                self._directions_to_modes()
        if at != gpio.output:
            self._look_at_modes()
        self.look()

    def _changed_by(self, register: int, at: int, value: int, set_and_clear: tuple[int | None, int | None]) -> None:
        if at == set_and_clear[0]:
            self._change(register, value, 0)
        elif at == set_and_clear[1]:
            self._change(register, 0, value)
        else:
            before = self.words.get(register, 0)
            self._change(register, value & ~before, value & before)

    def _change(self, register: int, ones: int, zeros: int) -> None:
        self.words[register] = (self.words.get(register, 0) & ~zeros | ones) & self._all

    def _directions_to_modes(self) -> None:
        """A direction register is another view of what each pin's own register says."""
        gpio = self._gpio
        if gpio.direction is None or gpio.mode.register == gpio.direction:
            return
        for pin in range(gpio.pins):
            at, bit = gpio.mode.place(pin)
            is_output = self.words.get(gpio.direction, 0) >> pin & 1
            self.words[at] = self.words.get(at, 0) & ~(1 << bit) | is_output << bit

    # What follows.

    def look(self) -> None:
        """See to which levels the pins go."""
        output = self.words.get(self._gpio.output, 0)
        free = self._pulled_up | self._by_output & output
        free = free & ~self.driven | self.outside & self.driven
        levels = (output & self._pushed) | (output & free & self._sunk) | free & ~self._pushed & ~self._sunk
        changed = (levels ^ self.levels) & self._all
        self.levels = levels & self._all
        for pin in range(self._gpio.pins) if changed else ():
            if changed >> pin & 1:
                if len(self.edges) < _MOST_EDGES:
                    self.edges.append((self._now(), pin, levels >> pin & 1))
                self.on_edge(pin, levels >> pin & 1)
        self.on_level()

    def refresh(self) -> None:
        """Registers, or what drives it from outside, are others now."""
        self._look_at_modes()
        self.look()

    def _look_at_modes(self) -> None:
        gpio = self._gpio
        self._pushed = self._sunk = self._pulled_up = self._by_output = self._analog = 0
        if gpio.direction is not None and gpio.mode.register != gpio.direction:
            bits = (self._field(gpio.mode, pin) << pin for pin in range(gpio.pins))
            self.words[gpio.direction] = sum(bits)
        for pin in range(gpio.pins):
            mode, bit = self._field(gpio.mode, pin), 1 << pin
            name = gpio.modes.get(mode, "alternate")
            opened = gpio.open_drain is not None and self._field(gpio.open_drain, pin) in gpio.open_drains
            if name == "output" and not opened:
                self._pushed |= bit
            elif name == "output":
                self._sunk |= bit
            elif name == "analog":
                self._analog |= bit
            if self._pulls is not None:
                is_up = bool(self._pulls(pin))
            else:
                is_up = gpio.pull is not None and gpio.pulls.get(self._field(gpio.pull, pin)) == 1
            self._pulled_up |= bit if is_up else 0
            self._by_output |= bit if mode in gpio.pulled_by_output else 0

    def _field(self, field: Field, pin: int) -> int:
        at, bit = field.place(pin)
        return self.words.get(at, 0) >> bit & (1 << field.width) - 1

    def sensed(self) -> int:
        """The pins whose level is the one that they sense."""
        gpio = self._gpio
        if gpio.sense is None:
            return 0
        wanted = ((pin, gpio.senses.get(self._field(gpio.sense, pin))) for pin in range(gpio.pins))
        return sum(1 << pin for pin, level in wanted if level is not None and level == self.levels >> pin & 1)

    def latch(self, pins: int) -> None:
        """Remember them."""
        if self._gpio.latch is not None:
            self.words[self._gpio.latch] = self.words.get(self._gpio.latch, 0) | pins
