"""An image as lines of positions that a depthwise kernel runs along: firmware/include/mcu_axis.h."""

from __future__ import annotations

from mcu_harness.model.codegen.layer import Unsuited
from mcu_harness.model.codegen.operators.filters import Filters
from mcu_harness.model.codegen.sliding_windows import Axis, Window

_MOST = 65535
# Working memory that a layer may take: this, or this part of its output where that is more.
_SCRATCH_BYTES = 2048
_SCRATCH_PART = 8


def turn_lines(lines: Axis, turn: int) -> int:
    """Input lines that `turn` output lines need."""
    return (turn - 1) * lines.stride + lines.kernel


def turn_of(lines: Axis, line_bytes: int, output_bytes: int) -> int:
    """How many output lines are computed at a time: their input lines, `line_bytes` each, are working memory."""
    room = max(_SCRATCH_BYTES, output_bytes // _SCRATCH_PART) // line_bytes
    return min(max((room - lines.kernel) // lines.stride + 1, 1), lines.out)


def c_axis(axis: Axis, window: Window, filters: Filters, rows: bool) -> str:
    """A `struct mcu_axis`; `rows` for the axis that goes from row to row."""
    steps = (window.width.size, window.width.out) if rows else (1, 1)
    numbers = {
        "in_size": axis.size,
        "out_size": axis.out,
        "in_step": steps[0] * window.channels,
        "out_step": steps[1] * window.channels * filters.multiplier,
        "kernel": axis.kernel,
        "stride": axis.stride,
        "padding": axis.padding,
    }
    if max(numbers.values()) > _MOST:
        raise Unsuited(f"a row of {max(numbers.values())} bytes, {_MOST} at most")
    return "{" + ", ".join(f".{name} = {value}" for name, value in numbers.items()) + "}"
