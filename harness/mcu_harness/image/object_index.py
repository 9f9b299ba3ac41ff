"""Which object of the program an address lies in."""

from __future__ import annotations

from bisect import bisect_right

from mcu_harness.image.program import Program
from mcu_harness.image.symbols import Symbol


class ObjectIndex:
    """The objects that have a size, as symbols say it; built when it is first asked."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._objects: list[Symbol] | None = None

    def at(self, address: int) -> Symbol | None:
        """The object that holds `address`, None if no symbol says so."""
        if self._objects is None:
            found = (symbol for symbol in self._program.symbols if symbol.kind == "object" and symbol.size)
            self._objects = sorted(found, key=lambda symbol: symbol.address)
        nth = bisect_right(self._objects, address, key=lambda symbol: symbol.address) - 1
        if nth < 0 or address >= self._objects[nth].address + self._objects[nth].size:
            return None
        return self._objects[nth]
