"""How reports show what the cycles of layers go into, and how far they are above the least that the core needs for them."""

from __future__ import annotations

from mcu_harness.results.cost_records import CycleParts, LayerResult
from mcu_harness.results.records import RunResult

ABOUT = (
    "Bound: what the layer's multiplications, loads and stores need at least on the core, without loops, requantisation and "
    "waits; an estimate. Waits are for flash and other slow memories; shares are of the layer's cycles, estimated like these."
)
NAMES = ("waits", "loads_stores", "multiplies", "branches", "rest")  # of CycleParts
_PARTS = tuple(zip(NAMES, ("waits", "loads, stores", "multiplies", "branches", "rest"), strict=True))


def is_known(run: RunResult) -> bool:
    """Whether it is known of any layer what its cycles go into."""
    return any(layer.cycle_parts is not None for layer in run.layers)


def table(run: RunResult) -> tuple[list[str], list[list[str]]]:
    """Titles and a row for each layer: which kernel ran, cycles and bound per MAC, shares. Kernels only where they are known."""
    kernels, bounds = any(layer.kernel for layer in run.layers), any(layer.bound_cycles for layer in run.layers)
    titles = [
        "layer",
        *(["kernel"] if kernels else []),
        *(["cycles/MAC", "bound/MAC", "cycles/bound"] if bounds else []),
    ]
    titles += [title for _, title in _PARTS]
    rows = [
        [
            layer.name,
            *([layer.kernel] if kernels else []),
            *(_against_bound(layer) if bounds else []),
            *_shares(layer.cycle_parts),
        ]
        for layer in run.layers
    ]
    return titles, rows


def texts_in(run: RunResult) -> int:
    """How many columns of the table are texts, before those of numbers."""
    return 2 if any(layer.kernel for layer in run.layers) else 1


def _against_bound(layer: LayerResult) -> list[str]:
    if not layer.macs or layer.cycles is None:
        return ["", "", ""]
    per_mac = f"{layer.cycles / layer.macs:.2f}"
    if not layer.bound_cycles:
        return [per_mac, "", ""]
    return [per_mac, f"{layer.bound_cycles / layer.macs:.2f}", f"{layer.cycles / layer.bound_cycles:.1f}"]


def _shares(parts: CycleParts | None) -> list[str]:
    if parts is None:
        return [""] * len(NAMES)
    values = [getattr(parts, name) for name in NAMES]
    total = sum(values)
    return [f"{value / total * 100:.0f} %" if total and value else "" for value in values]
