"""How reports show what of a model is not computed, because it never changes or because nothing depends on it."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.records import RunResult


def any_channels(run: RunResult) -> bool:
    """Whether some layer computes fewer channels than the model has."""
    return any(layer.spared is not None and layer.spared.removed for layer in run.layers)


def channels(layer: LayerResult) -> str:
    """ "22 of 256"; "" where the layer computes all channels."""
    spared = layer.spared
    return f"{spared.channels - len(spared.removed)} of {spared.channels}" if spared and spared.removed else ""


def sentence(run: RunResult) -> str:
    """What is not computed of the whole model; "" where everything is."""
    gone = sum(len(layer.spared.removed) for layer in run.layers if layer.spared)
    done, macs = run.value("macs") or 0, run.value("spared_macs") or 0
    if not gone and not macs:
        return ""
    share = f"{macs:,} of the model's {done + macs:,} MACs ({macs / (done + macs) * 100:.1f} %)" if macs else ""
    names = f"{gone:,} channels" if gone else ""
    found = " and ".join(filter(None, (share, names)))
    return f"Not computed, because their values never change or nothing depends on them: {found}."


def lines(run: RunResult) -> list[str]:
    """A line for each layer that differs from the model: the channels that are not computed, the layers it also computes."""
    found = []
    for layer in run.layers:
        spared = layer.spared
        if spared is None:
            continue
        parts = []
        if spared.removed:
            parts.append(f"{channels(layer)} channels, without {numbers(spared.removed)}")
        if spared.merged:
            parts.append(f"with {', '.join(spared.merged)} of the model")
        if parts:
            found.append(f"{layer.name}: {'; '.join(parts)}")
    return found


def numbers(values: Sequence[int]) -> str:
    """Ascending numbers with runs as their ends: "0-3, 7"."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
