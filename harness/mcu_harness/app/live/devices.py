"""A device for tests: registers behind a pointer, as most sensors and memories on I2C have them."""

from __future__ import annotations

from collections.abc import Mapping


class I2cRegisters:
    """256 registers of a byte. The first byte that is written is the pointer, what follows goes into registers from there on.

    Reads give registers from the pointer on; both move it. `registers` can be changed at any time, `written` are all transfers.
    """

    def __init__(self, registers: Mapping[int, int] | None = None) -> None:
        self.registers: dict[int, int] = dict(registers or {})
        self.written: list[bytes] = []
        self._pointer = 0

    def write(self, data: bytes) -> None:
        """As the bus calls it."""
        self.written.append(data)
        if data:
            self._pointer = data[0]
        for byte in data[1:]:
            self.registers[self._pointer] = byte
            self._pointer = self._pointer + 1 & 0xFF

    def read(self) -> int:
        """As the bus calls it."""
        value = self.registers.get(self._pointer, 0)
        self._pointer = self._pointer + 1 & 0xFF
        return value
