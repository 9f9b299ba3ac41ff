"""How reports show the heap over time."""

from __future__ import annotations

from mcu_harness.results.memory_records import HeapUse
from mcu_harness.results.records import RunResult
from mcu_harness.results.report import text

WIDTH, HEIGHT = 720, 120
_LEFT, _TOP, _BOTTOM = 60, 8, 20  # around the chart


def sentence(use: HeapUse) -> str:
    """The heap in figures."""
    parts = [
        f"At most {text.number(use.peak_bytes)} B on the heap at once, by {_counted(use.calls, 'call')} of the allocator",
        f"{text.number(use.left_bytes)} B in {_counted(use.left_blocks, 'block')} left at the end",
    ]
    if use.failed:
        parts.append(f"{_counted(use.failed, 'call')} got nothing")
    if use.unknown:
        parts.append(f"{_counted(use.unknown, 'pointer')} freed that nobody was seen to allocate")
    return "; ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{text.number(number)} {noun}{'s' if number != 1 else ''}"


def lines(run: RunResult) -> list[str]:
    """For a terminal; [] where it was not asked for."""
    return [sentence(run.heap)] if run.heap else []


def chart_path(use: HeapUse) -> str:
    """The points of a line with steps, in a box of WIDTH by HEIGHT: instructions to the right, bytes upwards."""
    first, last = use.course[0][0], use.course[-1][0]
    across = (WIDTH - _LEFT) / max(1, last - first)
    up = (HEIGHT - _TOP - _BOTTOM) / max(1, use.peak_bytes)
    base = HEIGHT - _BOTTOM
    points, before = [(float(_LEFT), float(base))], 0
    for now, in_use in use.course:
        x = _LEFT + (now - first) * across
        points += [(x, base - before * up), (x, base - in_use * up)]
        before = in_use
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
