"""How reports show what differs from input to input."""

from __future__ import annotations

from mcu_harness.results.cost_records import LayerResult, Spread
from mcu_harness.results.records import Measurement, RunResult
from mcu_harness.results.report import text
from mcu_harness.scenario.figure_catalogue import FIGURES


def shown_figures(run: RunResult) -> list[Measurement]:
    """All figures but those of the worst input that say nothing new: no budget holds them, and inputs do not differ."""
    return [m for m in text.ordered(run.measurements) if not _is_repetition(m, run)]


def _is_repetition(measurement: Measurement, run: RunResult) -> bool:
    known = FIGURES.get(measurement.name)
    if known is None or not known.worst_of or measurement.name in run.budgets:
        return False
    return measurement.value is None or measurement.value == run.value(known.worst_of)


def differ(run: RunResult) -> bool:
    """Whether any layer costs more for one input than for another, as far as is known."""
    return any(spread is not None and not spread.is_flat for spread in map(layer_spread, run.layers))


def layer_spread(layer: LayerResult) -> Spread | None:
    """Of the layer's cycles, or of its instructions where there are no cycles."""
    return layer.cycles_spread or layer.instructions_spread


def what_differs(run: RunResult) -> str:
    """What the spreads of layers are of: "cycles" or "instructions"."""
    return "cycles" if any(layer.cycles_spread for layer in run.layers) else "instructions"


def triple(spread: Spread | None) -> tuple[str, str, str]:
    """Minimum, median and maximum for table cells."""
    if spread is None:
        return "", "", ""
    return text.number(spread.minimum), text.number(spread.median), text.number(spread.maximum)


def sentence(run: RunResult) -> str:
    """What inputs make of the whole, "" where they make no difference or nothing is known."""
    for name in ("cycles", "instructions"):
        spread = run.spreads.get(name)
        if spread is not None and not spread.is_flat:
            least, middle, most = triple(spread)
            more = (spread.maximum - spread.minimum) / spread.minimum * 100 if spread.minimum else 0.0
            return f"From input to input {least} to {most} {name} (median {middle}, +{_percent(more)})."
    return ""


def _percent(value: float) -> str:
    return f"{value:,.0f} %" if value >= 10 else f"{value:.2g} %"
