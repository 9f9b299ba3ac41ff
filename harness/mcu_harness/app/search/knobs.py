"""Knobs: the arguments of the function that makes nets, each with the values that may be tried, smallest first."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mcu_harness.base.errors import ScenarioError

Value = int | float | str
_RANGE = re.compile(r"^\s*([^.\s:]+(?:\.\d+)?)\s*\.\.\s*([^\s:]+?)\s*(?::\s*([^\s:]+))?\s*$")
_STEPS = 100  # about as many values has a range of reals without a step
_MOST = 10_000
_HINT = "write name=0.1..1.0, name=8..64, name=8..64:8 (with a step), or name=1,2,4"


@dataclass(frozen=True, slots=True)
class Knob:
    """An argument by name. `values` are all that may be tried, in order; of numbers, upwards."""

    name: str
    values: tuple[Value, ...]

    @property
    def is_ordered(self) -> bool:
        """Whether its values are numbers, so that there is a largest."""
        return not any(isinstance(value, str) for value in self.values)


def parse_knobs(texts: Iterable[str]) -> tuple[Knob, ...]:
    """Knobs from "width=0.1..1.0" and the like; raises ScenarioError."""
    knobs: list[Knob] = []
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier() or not values:
            raise ScenarioError(f"cannot read the knob {text!r}", hint=_HINT)
        if any(name == knob.name for knob in knobs):
            raise ScenarioError(f"the knob {name!r} is given twice")
        knobs.append(Knob(name, _values(text, values)))
    return tuple(knobs)


def knob_of(name: str, values: object) -> Knob:
    """The knob that a caller in Python means: a (lowest, highest) pair, (lowest, highest, step), or a list or range of values.

    Raises ScenarioError.
    """
    if isinstance(values, tuple) and len(values) in (2, 3) and all(_is_number(value) for value in values):
        return Knob(name, _steps(f"{name}={values}", *values))
    if isinstance(values, (list, range)) and values and all(_is_number(v) or isinstance(v, str) for v in values):
        return Knob(name, _in_order(values))
    raise ScenarioError(
        f"cannot read the knob {name}={values!r}",
        hint="give (lowest, highest), (lowest, highest, step) or a list of values",
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _values(text: str, values: str) -> tuple[Value, ...]:
    if ".." not in values:
        return _in_order([_value(part.strip()) for part in values.split(",") if part.strip()])
    found = _RANGE.match(values)
    numbers = [_value(part) for part in found.groups() if part is not None] if found else []
    if not numbers or any(isinstance(number, str) for number in numbers):
        raise ScenarioError(f"cannot read the knob {text!r}", hint=_HINT)
    return _steps(text, *numbers)


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text


def _in_order(values: Iterable[Value]) -> tuple[Value, ...]:
    found = list(dict.fromkeys(values))
    if any(isinstance(value, str) for value in found):
        return tuple(found)
    return tuple(sorted(found, key=float))


def _steps(text: str, low: Value, high: Value, step: Value | None = None) -> tuple[Value, ...]:
    """The values from `low` to `high`, both included; of whole numbers every one, of reals about a hundred round ones."""
    assert not isinstance(low, str) and not isinstance(high, str) and not isinstance(step, str)
    whole = isinstance(low, int) and isinstance(high, int)
    if step is None:
        step = 1 if whole else 10.0 ** round(math.log10(max(high - low, 1e-12) / _STEPS))
    if high <= low or step <= 0 or (high - low) / step > _MOST:
        raise ScenarioError(f"the knob {text!r} has no values, or more than {_MOST}", hint=_HINT)
    count = math.floor((high - low) / step + 1e-9) + 1
    if whole and isinstance(step, int):
        found: list[int | float] = [low + number * step for number in range(count)]
    else:
        found = [float(f"{low + number * step:.12g}") for number in range(count)]
    return tuple(found if found[-1] >= high - abs(step) * 1e-6 else [*found, high])
