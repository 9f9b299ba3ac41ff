"""Analogue-to-digital converters: what a test says that a channel has is what the program reads, at once.

A channel's value is what the data register gives, in counts. DMA of STM32 and RP2040 is not modelled.
"""

from __future__ import annotations

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.live_peripherals import Sample
from mcu_harness.emulator.unicorn.peripherals.nrf_registers import NrfRegisters
from mcu_harness.emulator.unicorn.peripherals.registers import AtomicRegisters, Registers, Wiring
from mcu_harness.hardware.adcs import Adc
from mcu_harness.hardware.peripheral import Peripheral


class Channels:
    """What each channel has; those that nobody set have 0. It is what a test connects, and no part of a snapshot."""

    def __init__(self) -> None:
        self._samples: dict[int, Sample] = {}

    def set(self, channel: int, sample: Sample) -> None:
        if not isinstance(sample, int) and not callable(sample):
            hint = "give counts, as the data register has them, or a function that returns them"
            raise EmulatorError(f"a sample of channel {channel} is a whole number, got {sample!r}", hint=hint)
        self._samples[channel] = sample

    def __getitem__(self, channel: int) -> int:
        sample = self._samples.get(channel, 0)
        value = sample if isinstance(sample, int) else sample()
        if not isinstance(value, int):
            raise EmulatorError(
                f"the function for channel {channel} gave {value!r}", hint="return a whole number of counts"
            )
        return value


class StmAdc(Registers):
    """A converter as `Adc` describes it."""

    def __init__(self, adc: Adc, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self.channels = Channels()
        self.set = self.channels.set
        self._adc = adc
        self._peripheral = peripheral
        self._wiring = wiring
        self.left: list[int] = []  # channels of the sequence that are still to be converted
        self.runs = False  # for ever
        self.sample = 0

    def load(self, at: int) -> int:
        adc = self._adc
        if at == adc.data:
            sample = self.sample
            self.words[adc.status] = self.words.get(adc.status, 0) & ~adc.done
            self._next()
            return sample & 0xFFFF
        return super().load(at) | (adc.standing if at == adc.status else 0)

    def store(self, at: int, value: int, mask: int) -> None:
        adc = self._adc
        if at == adc.data:
            return
        if at == adc.status:
            cleared = value if adc.clear_by_one else mask & ~value
            kept = adc.ready if not adc.clear_by_one else 0
            self.words[at] = self.words.get(at, 0) & ~(cleared & ~kept)
        else:
            before = self.words.get(at, 0)
            super().store(at, value, mask)
            self._obey(at, before, self.words[at])
        self._ask()

    def _obey(self, at: int, before: int, after: int) -> None:
        """A control register went from `before` to `after`."""
        adc = self._adc
        stops = adc.off is not None and at == adc.off[0] and after & adc.off[1]
        if stops:
            after &= ~adc.on[1]
        momentary = sum(bit for register, bit in adc.momentary if register == at)
        started = any(at == register and after & ~before & bit for register, bit in adc.starts)
        if (after & momentary and not started) or stops:
            self.left, self.runs = [], False
        self.words[at] = after & ~momentary
        if at == adc.on[0] and after & ~before & adc.on[1]:
            self.words[adc.status] = self.words.get(adc.status, 0) | adc.ready
        if adc.channels and at == adc.channels:
            self.words[adc.status] = self.words.get(adc.status, 0) | adc.ready & ~1
        if started and after & adc.on[1]:
            self.left, self.runs = self._sequence(), self._continuous
            self._next()
            if not self.runs:
                self.words[at] &= ~sum(bit for register, bit in adc.starts if register == at)

    @property
    def _continuous(self) -> bool:
        register, bit = self._adc.continuous
        return bool(self.words.get(register, 0) & bit)

    def _sequence(self) -> list[int]:
        adc = self._adc
        if not adc.slots:
            return [n for n in range(32) if self.words.get(adc.channels, 0) >> n & 1]
        register, bit = adc.length
        length = (self.words.get(register, 0) >> bit & 15) + 1
        return [self.words.get(register, 0) >> bit & 31 for register, bit in adc.slots[:length]]

    def _next(self) -> None:
        """The next sample is there, if there is another."""
        adc = self._adc
        if not self.left and self.runs:
            self.left = self._sequence()
        if self.left:
            self.sample = self.channels[self.left.pop(0)]
            over = adc.over if not self.left else 0
            self.words[adc.status] = self.words.get(adc.status, 0) | adc.done | over
        self._ask()

    def _ask(self) -> None:
        status = self.words.get(self._adc.status, 0)
        asks = any(self.words.get(at, 0) & enable and status & bits for at, enable, bits in self._adc.interrupts)
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)


class Saadc(NrfRegisters):
    """Writes samples of all channels that have a positive input to memory; channels of a test are the inputs AIN0 to AIN7.

    Registers: Nordic nRF52840 PS v1.7, 6.23.10.
    """

    _START, _SAMPLE, _STOP, _CALIBRATE = 0x000, 0x004, 0x008, 0x00C
    _STARTED, _END, _DONE, _RESULTDONE, _CALIBRATED, _STOPPED = 0x100, 0x104, 0x108, 0x10C, 0x110, 0x114
    _PSELP, _POINTER, _COUNT, _AMOUNT = 0x510, 0x62C, 0x630, 0x634

    def __init__(self, base: int, irq: int | None, wiring: Wiring) -> None:
        super().__init__(base, irq, wiring)
        self.channels = Channels()
        self.set = self.channels.set

    def task(self, at: int) -> None:
        words = self.words
        if at == self._START:
            words[self._AMOUNT] = 0
            self.happen(self._STARTED)
        elif at == self._STOP:
            self.happen(self._STOPPED)
        elif at == self._CALIBRATE:
            self.happen(self._CALIBRATED)
        elif at == self._SAMPLE:
            inputs = [words.get(self._PSELP + 0x10 * n, 0) for n in range(8)]
            for source in inputs:
                if not source or words.get(self._AMOUNT, 0) >= words.get(self._COUNT, 0):
                    continue
                sample = self.channels[source - 1] & 0xFFFF
                place = words.get(self._POINTER, 0) + 2 * words.get(self._AMOUNT, 0)
                self._wiring.poke(place, sample.to_bytes(2, "little"))
                words[self._AMOUNT] = words.get(self._AMOUNT, 0) + 1
            self.happen(self._DONE)
            self.happen(self._RESULTDONE)
            if words.get(self._AMOUNT, 0) >= words.get(self._COUNT, 0):
                self.happen(self._END)


class RpAdc(AtomicRegisters):
    """One channel at a time, by AINSEL, or those of RROBIN in turn. The FIFO holds what was converted once.

    Registers: Raspberry Pi RP2040 datasheet, 4.9.6: CS, RESULT, FCS, FIFO, INTR, INTE, INTF, INTS.
    """

    _CS, _RESULT, _FCS, _FIFO = 0x00, 0x04, 0x08, 0x0C
    _INTR, _INTE, _INTF, _INTS = 0x14, 0x18, 0x1C, 0x20
    _EN, _START_ONCE, _START_MANY, _READY = 1 << 0, 1 << 2, 1 << 3, 1 << 8
    _DEPTH = 4

    def __init__(self, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self.channels = Channels()
        self.set = self.channels.set
        self._peripheral = peripheral
        self._wiring = wiring
        self.fifo: list[int] = []

    def load(self, at: int) -> int:
        control = self.words.get(self._CS, 0)
        if at == self._CS:
            return control | (self._READY if control & self._EN else 0)
        if at == self._RESULT and control & self._START_MANY:
            self._convert()
        if at == self._FCS:
            level = len(self.fifo)
            return self.words.get(at, 0) & ~0xF0300 | level << 16 | (level == 0) << 8 | (level == self._DEPTH) << 9
        if at == self._FIFO:
            return self._take()
        if at in (self._INTR, self._INTS):
            return self._asking if at == self._INTS else self._raw
        return super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        super().store(at, value, mask)
        if at == self._CS:
            self.words[at] &= ~(self._START_ONCE | self._READY)
            if value & self._EN and value & (self._START_ONCE | self._START_MANY):
                self._convert()
        self._ask()

    def _take(self) -> int:
        if not self.fifo and self.words.get(self._CS, 0) & self._START_MANY:
            self._convert()
        sample = self.fifo.pop(0) if self.fifo else 0
        if self.words.get(self._CS, 0) & self._START_MANY:
            self._convert()
        self._ask()
        return sample

    def _convert(self) -> None:
        control = self.words.get(self._CS, 0)
        channel = control >> 12 & 7
        sample = self.words[self._RESULT] = self.channels[channel] & 0xFFF
        turns = [n for n in range(8) if control >> 16 >> n & 1]
        if turns:
            following = next((n for n in turns if n > channel), turns[0])
            self.words[self._CS] = control & ~(7 << 12) | following << 12
        fifo = self.words.get(self._FCS, 0)
        if fifo & 1 and len(self.fifo) < self._DEPTH:
            self.fifo.append(sample >> 4 if fifo & 2 else sample)
        self._ask()

    @property
    def _raw(self) -> int:
        return int(len(self.fifo) >= max(1, self.words.get(self._FCS, 0) >> 24 & 15))

    @property
    def _asking(self) -> int:
        return self._raw & self.words.get(self._INTE, 0) | self.words.get(self._INTF, 0)

    def _ask(self) -> None:
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, bool(self._asking))
