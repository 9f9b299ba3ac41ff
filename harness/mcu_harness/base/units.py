"""Quantities as people write them ("256 KiB", "80 MHz", "12.5 ms", "2 %"), to and from plain numbers.

1 KiB = 1024 B. "KB" and "kB" mean 1000 B and "k"/"K" alone is refused, so that no file means two things.
"""

from __future__ import annotations

import math
import re

from mcu_harness.base.errors import UnitError

_FACTORS: dict[str, dict[str, float]] = {
    "bytes": {"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3},
    "hertz": {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    "seconds": {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9},
    "joules": {"J": 1, "mJ": 1e-3, "uJ": 1e-6, "µJ": 1e-6, "nJ": 1e-9},
    "count": {"": 1, "k": 1e3, "M": 1e6, "G": 1e9},
    "fraction": {"%": 0.01, "": 1},
    "decibels": {"dB": 1},
    "number": {"": 1},
}
_BASE_UNITS = {
    "bytes": "B",
    "hertz": "Hz",
    "seconds": "s",
    "joules": "J",
    "count": "",
    "fraction": "",
    "decibels": "dB",
    "number": "",
}
# The most that a board can have, or a limit can say; what is above is a slip of the pen.
_MOST = {
    "bytes": "1 GiB",
    "hertz": "10 GHz",
    "seconds": "604800 s",  # a week
    "joules": "1000000 J",
    "count": "1e15",
    "fraction": "100 %",
    "decibels": "1000 dB",
    "number": "1e38",  # of a model's own outputs: float32 ends there
}
_QUANTITY = re.compile(r"^\s*([-+]?(?:\d[\d_]*)(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*([^\d\s]*)\s*$")


def parse(value: object, kind: str) -> float:
    """The number in base units (B, Hz, s, 1) that `value` (a number or a string with a unit) stands for.

    A number without a unit is taken for counts and fractions only, and 0: nobody can see whether 20 are seconds.
    Raises UnitError that lists the accepted units.
    """
    units = _FACTORS[kind]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UnitError(f"expected {_article(kind)}, got {value!r}", hint=_accepted(kind))
    if isinstance(value, (int, float)):
        number, unit = _float(value), ""
    else:
        match = _QUANTITY.match(value)
        if match is None:
            raise UnitError(f"expected {_article(kind)}, got {value!r}", hint=_accepted(kind))
        number, unit = float(match[1].replace("_", "")), match[2]
    if unit == "" and "" not in units:
        if number != 0:
            raise UnitError(f"{str(value)[:40]!r} has no unit, and {_article(kind)} needs one", hint=_accepted(kind))
        unit = _BASE_UNITS[kind]
    if unit not in units:
        raise UnitError(f"unknown unit {unit!r} in {value!r}", hint=_accepted(kind))
    if not math.isfinite(number * units[unit]):
        raise UnitError(f"{str(value)[:40]!r} is not a finite number", hint=_accepted(kind))
    return number * units[unit]


def most(kind: str) -> float:
    """The most that a board can have of a kind of quantity, or a limit can say, in base units."""
    return parse(_MOST[kind], kind)


def parse_limit(value: object, kind: str) -> float:
    """As `parse`, for what figures are held to: 0 to `most`; raises UnitError that shows the range."""
    number = parse(value, kind)
    if not 0 <= number <= most(kind):
        message = f"{_article(kind)} from 0 to {_MOST[kind]} is accepted, got {str(value)[:40]!r}"
        raise UnitError(message, hint=_accepted(kind))
    return number


def _float(value: float) -> float:
    """`value` as a float, infinite where it is a whole number beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def parse_whole(value: object, kind: str) -> int:
    """As `parse`, for quantities that must be whole and not negative (bytes, hertz, counts)."""
    number = parse(value, kind)
    rounded = round(number)
    if number < 0 or abs(number - rounded) > 1e-6:
        raise UnitError(f"{value!r} is not a whole number of {_BASE_UNITS[kind] or 'units'}, 0 or more")
    return rounded


def _article(kind: str) -> str:
    return {
        "bytes": "a size",
        "hertz": "a frequency",
        "seconds": "a time",
        "joules": "an energy",
        "count": "a count",
        "fraction": "a fraction or percentage",
        "decibels": "a ratio in decibels",
        "number": "a number",
    }[kind]


def _accepted(kind: str) -> str:
    names = ", ".join(unit for unit in _FACTORS[kind] if unit)
    return f"write a number with one of: {names}" if names else "write a number without a unit"


def format_bytes(value: float) -> str:
    """Bytes for people: "812 B", "22.3 KiB", "1.00 MiB"."""
    if abs(value) < 1024:
        return f"{value:.0f} B"
    if abs(value) < 1024**2:
        return f"{value / 1024:.1f} KiB"
    return f"{value / 1024**2:.2f} MiB"


def format_count(value: float) -> str:
    """Counts for people, with thousands separators: "7,696,213"."""
    return f"{value:,.0f}"


def format_signed(value: float) -> str:
    """Changes of counts for people: "+1,234", "-0.25", "+0"."""
    whole = abs(value) >= 100 or value == round(value)
    return f"{value:+,.0f}" if whole else f"{value:+,.2f}"


def format_change(value: float, unit: str) -> str:
    """A change of a figure in its record unit, with sign and unit: "+50", "+1,024 B", "-0.2 ms"; counts to the last one."""
    if unit in ("s", "J", "fraction", "dB", "real"):
        return f"{'-' if value < 0 else '+'}{format_value(abs(value), unit)}"
    return format_signed(value) + (" B" if unit == "B" else "")


def format_seconds(value: float) -> str:
    """Times for people, three digits: "12.5 ms"."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {unit}" if value / factor < 1000 else f"{value / factor:,.0f} {unit}"
    return f"{value / 1e-9:.3g} ns"


def format_hertz(value: float) -> str:
    """Frequencies for people: "168 MHz"."""
    for factor, unit in ((1e6, "MHz"), (1e3, "kHz")):
        if value >= factor:
            return f"{value / factor:g} {unit}"
    return f"{value:g} Hz"


def format_joules(value: float) -> str:
    """Energies for people, three digits: "23.3 mJ"."""
    for factor, unit in ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ")):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-9:.3g} nJ"


def format_value(value: float, unit: str) -> str:
    """`value` in the way its record unit is shown: B, 1 (counts), instructions, cycles, s, J, fraction, dB, real (no unit)."""
    if unit == "B":
        return format_bytes(value)
    if unit == "s":
        return format_seconds(value)
    if unit == "fraction":
        return f"{value * 100:.2f} %"
    if unit == "J":
        return format_joules(value)
    if unit == "dB":
        return f"{value:.1f} dB"
    if unit == "real":
        return f"{value:.4g}"
    return format_count(value)
