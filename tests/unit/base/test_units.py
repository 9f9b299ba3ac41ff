from __future__ import annotations

import pytest

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("256 KiB", "bytes", 256 * 1024),
        ("1 MiB", "bytes", 1024**2),
        ("64kB", "bytes", 64_000),
        (0, "bytes", 0),
        ("0", "seconds", 0),
        ("80 MHz", "hertz", 80e6),
        ("12.5 ms", "seconds", 0.0125),
        ("3 us", "seconds", 3e-6),
        ("2 %", "fraction", 0.02),
        (0.9, "fraction", 0.9),
        ("7.5 M", "count", 7.5e6),
        ("1_000", "count", 1000),
    ],
)
def test_quantity_is_read_in_base_units(text: object, kind: str, value: float) -> None:
    assert units.parse(text, kind) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("256 K", "bytes", "unknown unit 'K'"),
        ("5 MHz", "seconds", "unknown unit 'MHz'"),
        ("fast", "hertz", "expected a frequency"),
        (True, "bytes", "expected a size"),
        (None, "seconds", "expected a time"),
        ("1e999 s", "seconds", "not a finite number"),
        ("", "bytes", "expected a size"),
        (20, "seconds", "'20' has no unit, and a time needs one"),
        ("20", "seconds", "'20' has no unit"),
        (512, "bytes", "a size needs one"),
        (16_000_000, "hertz", "a frequency needs one"),
        (0.5, "joules", "an energy needs one"),
    ],
)
def test_bad_quantity_names_what_is_wrong_and_what_is_accepted(text: object, kind: str, said: str) -> None:
    with pytest.raises(UnitError, match=said) as caught:
        units.parse(text, kind)
    assert "write a number with one of" in caught.value.hint


@pytest.mark.parametrize("text", ["1.5 B", "-1 B"])
def test_whole_quantity_refuses_fractions_and_negatives(text: object) -> None:
    with pytest.raises(UnitError, match="0 or more"):
        units.parse_whole(text, "bytes")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (812, "B", "812 B"),
        (22_820, "B", "22.3 KiB"),
        (1024**2, "B", "1.00 MiB"),
        (0.0233, "J", "23.3 mJ"),
        (1.6e-6, "J", "1.6 uJ"),
        (7_696_213, "instructions", "7,696,213"),
        (0.0125, "s", "12.5 ms"),
        (2.0, "s", "2 s"),
        (0.9725, "fraction", "97.25 %"),
    ],
)
def test_figure_is_shown_for_people(value: float, unit: str, text: str) -> None:
    assert units.format_value(value, unit) == text


def test_every_shown_size_is_read_back() -> None:
    for value in (1, 1023, 1024, 1536, 1024**2):
        assert units.parse(units.format_bytes(value), "bytes") == value
