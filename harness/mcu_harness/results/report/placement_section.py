"""How reports show what was placed elsewhere, with what that was predicted to give and gave."""

from __future__ import annotations

from mcu_harness.base.units import format_bytes
from mcu_harness.results.placement_records import PlacementResult
from mcu_harness.results.records import RunResult
from mcu_harness.results.report import text


def lines(run: RunResult) -> list[str]:
    """A line for each part, and one for what it gave; one with the reason where nothing was placed; none without the question."""
    return [] if run.placement is None else lines_of(run.placement, run.value("cycles"))


def lines_of(placed: PlacementResult, measured: float | None = None) -> list[str]:
    """The same without a run, or with the cycles that it `measured`."""
    if not placed.parts:
        return [f"Placement: as usual, since {placed.reason}."]
    found = [
        f"Placed in {part.memory}: {part.what}, {format_bytes(part.nbytes)} ({_names(part.symbols)})"
        for part in placed.parts
    ]
    before, predicted = placed.cycles_before, placed.cycles_predicted
    if before and predicted:
        said = f"Cycles without that {text.number(before)}, predicted {text.number(predicted)} ({predicted / before - 1:+.1%})"
        found.append(
            said + (f", measured {text.number(measured)} ({measured / before - 1:+.1%})." if measured else ".")
        )
    return found


def summary(run: RunResult) -> str:
    """One sentence of `lines`; "" without the question."""
    placed = run.placement
    if placed is None:
        return ""
    if not placed.parts:
        return f"as usual, since {placed.reason}"
    where = ", ".join(f"{part.what} ({format_bytes(part.nbytes)}) in {part.memory}" for part in placed.parts)
    return f"{where}; {lines(run)[-1].rstrip('.').lower()}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
