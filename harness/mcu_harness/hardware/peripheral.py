"""Peripherals of chips as data: what they are called, of which kind each is, and where its registers and interrupts are.

Those of a chip are the same on all boards that carry it: one file a family in `chips/`. A board file may add some, or
say otherwise of one. What a kind is, is said in `uarts.py`, `gpios.py`, `adcs.py`, `buses.py`, `clocks.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import BoardError
from mcu_harness.base.text import is_plain_name
from mcu_harness.hardware.adcs import ADCS, NRF_SAADC, RP_ADC
from mcu_harness.hardware.buses import I2CS, SPIS
from mcu_harness.hardware.clocks import CLOCKS
from mcu_harness.hardware.gpios import EXTIS, GPIOS, IO_BANKS, NRF_GPIOTE, RP_PADS
from mcu_harness.hardware.uarts import UARTS

CHIP_DIRECTORY = Path(__file__).parent / "chips"
_MOST_PERIPHERALS = 1_000
_MOST_INTERRUPTS = 480  # of an Armv8-M core (DDI 0553, B3.9)


@dataclass(frozen=True, slots=True)
class Peripheral:
    """`irqs` are the numbers of its interrupts, 0 being the first after the core's own 16; none where they are not known.

    A port has `pins`: what their names begin with, before their number ("PC", "P0."). What makes interrupts of pins has
    the `ports` that a line can be of, in the order of their numbers, and the address where that is selected, if elsewhere;
    a port whose pulls stand elsewhere has that address there.
    """

    name: str
    kind: str
    base: int
    irqs: tuple[int, ...] = ()
    pins: str = ""
    ports: tuple[str, ...] = ()
    select: int = 0

    @property
    def irq(self) -> int | None:
        """The only interrupt that it has, or the first."""
        return self.irqs[0] if self.irqs else None


def kinds() -> tuple[str, ...]:
    """All kinds of peripherals that are known."""
    return (*UARTS, *GPIOS, *EXTIS, NRF_GPIOTE, *IO_BANKS, RP_PADS, *ADCS, NRF_SAADC, RP_ADC, *I2CS, *SPIS, *CLOCKS)


def peripherals_of(part: str, own: tuple[Peripheral, ...]) -> tuple[Peripheral, ...]:
    """What the chip `part` has, and a board's `own`, which take the place of those of the same name."""
    names = {peripheral.name for peripheral in own}
    return (*own, *(peripheral for peripheral in _chip(part) if peripheral.name not in names))


@cache
def _chip(part: str) -> tuple[Peripheral, ...]:
    for path in sorted(CHIP_DIRECTORY.glob("*.toml")):
        top = toml_reader.load(path, BoardError)
        parts = top.texts("parts")
        top.text("source")
        if part.startswith(parts):
            found = tuple(read_peripherals(top))
            top.done()
            return found
    return ()


def read_peripherals(top: toml_reader.Table) -> Iterator[Peripheral]:
    """The tables [[peripheral]] of a chip or board file; raises its error with file, line and key."""
    names: set[str] = set()
    for table in top.tables("peripheral"):
        peripheral = Peripheral(
            name=table.text("name"),
            kind=table.text("kind", choices=kinds()),
            base=table.whole("base"),
            irqs=tuple(_interrupts(table)),
            pins=table.text("pins", ""),
            ports=table.texts("ports", ()),
            select=table.whole("select", 0),
        )
        table.done()
        if not is_plain_name(peripheral.name):
            hint = "use letters, digits, '_', '-', '+' and '.'"
            raise table.fail("name", f"{peripheral.name!r} is not a plain name", hint=hint)
        if peripheral.name in names:
            raise table.fail("name", f"a peripheral named {peripheral.name!r} is there already")
        if peripheral.base % 4 or peripheral.base >= 1 << 32:
            raise table.fail("base", f"expected a word-aligned 32-bit address, got {peripheral.base:#x}")
        names.add(peripheral.name)
        if len(names) > _MOST_PERIPHERALS:
            raise table.fail("name", f"a board has {_MOST_PERIPHERALS:,} peripherals at most")
        yield peripheral


def _interrupts(table: toml_reader.Table) -> list[int]:
    numbers = table.raw("irqs") if "irqs" in table else []
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < _MOST_INTERRUPTS for n in numbers):
        raise table.fail("irqs", f"expected a list of numbers of interrupts, got {numbers!r}")
    return numbers
