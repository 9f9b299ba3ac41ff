"""Which object of the program an address lies in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from mcu_harness.image.program import Program
from mcu_harness.image.symbols import Symbol


class ObjectIndex:
    """The objects that have a size, as symbols say it; built when it is first asked."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._objects: list[Symbol] | None = None

    def all(self) -> Sequence[Symbol]:
        """Sorted by address."""
        if self._objects is None:
            found = (symbol for symbol in self._program.symbols if symbol.kind == "object" and symbol.size)
            self._objects = sorted(found, key=lambda symbol: symbol.address)
        return self._objects

    def at(self, address: int) -> Symbol | None:
        """The object that holds `address`, None if no symbol says so."""
        objects = self.all()
        nth = bisect_right(objects, address, key=lambda symbol: symbol.address) - 1
        if nth < 0 or address >= objects[nth].address + objects[nth].size:
            return None
        return objects[nth]
