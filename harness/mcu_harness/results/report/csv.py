"""CSV for spreadsheets and notebooks: a row a run, a layer, or what a layer accessed. What was not measured is an empty cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from mcu_harness.base.text import for_csv
from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.records import Measurement, Results, RunResult
from mcu_harness.results.report import cycle_parts_section, text

_CASE = ("scenario", "model", "board", "toolchain", "emulator")
_LAYER = ("index", "name", "operator", "macs", "instructions", "cycles", "flash_bytes", "arena_bytes", "sqnr_db")
_CYCLES = ("kernel", "bound_cycles", *(f"{name}_cycles" for name in cycle_parts_section.NAMES))
_SPARED = ("model_channels", "removed_channels", "spared_macs")
_OBJECT = ("name", "kind", "region", "address", "nbytes")
_ACCESSES = ("reads", "read_bytes", "writes", "written_bytes")

_OF_INPUTS = ("minimum", "median", "maximum")
_SPREADS = tuple(f"{figure}_{name}" for figure, name in product(("instructions", "cycles"), _OF_INPUTS))


def runs(results: Results) -> str:
    """A row per run with every figure that any run has."""
    names = list(dict.fromkeys(m.name for run in results.runs for m in text.ordered(run.measurements)))
    about = (
        "core",
        "clock_hz",
        "toolchain_version",
        "emulator_version",
        "verdict",
        "mismatches",
        "commit",
        "model_sha256",
    )
    rows = [
        [
            *_case(run),
            run.core,
            run.clock_hz,
            run.toolchain.version,
            run.emulator.version,
            str(run.verdict),
            run.outputs.mismatches,
            run.provenance.commit,
            run.provenance.model_digest,
            *(_rounded(run.value(name), run.measurements.get(name)) for name in names),
        ]
        for run in results.runs
    ]
    return _text((*_CASE, *about, *names), rows)


def layers(results: Results) -> str:
    """A row per layer of every run."""
    rows = [
        [
            *_case(run),
            *(_hundredths(getattr(layer, name)) for name in _LAYER),
            *_spreads(layer),
            *_spared(layer),
            *_cycles(layer),
        ]
        for run in results.runs
        for layer in run.layers
    ]
    return _text((*_CASE, *_LAYER, *_SPREADS, *_SPARED, *_CYCLES), rows)


def accesses(results: Results) -> str:
    """A row per layer and object of every run with a memory trace; the layer is empty outside of all layers."""
    rows = [
        [
            *_case(run),
            run.layers[each.layer].name if 0 <= each.layer < len(run.layers) else None,
            *(getattr(run.accesses.objects[each.object], name) for name in _OBJECT),
            *(getattr(each, name) for name in _ACCESSES),
        ]
        for run in results.runs
        if run.accesses is not None
        for each in run.accesses.accesses
        if 0 <= each.object < len(run.accesses.objects)
    ]
    return _text((*_CASE, "layer", *_OBJECT, *_ACCESSES), rows)


def _spreads(layer: LayerResult) -> list[float | int | None]:
    """Instructions and cycles of single inputs, empty where they were not told apart."""
    pairs = product((layer.instructions_spread, layer.cycles_spread), _OF_INPUTS)
    return [None if spread is None else getattr(spread, name) for spread, name in pairs]


def _spared(layer: LayerResult) -> list[int | None]:
    """Channels that the model has in the layer's output, how many of them are not computed, and its MACs that are not."""
    spared = layer.spared
    return [None, None, None] if spared is None else [spared.channels, len(spared.removed), spared.macs]


def _cycles(layer: LayerResult) -> list[str | float | int | None]:
    """Which kernel ran, the least cycles that the core needs for the layer's MACs, and what its cycles go into."""
    parts = [getattr(layer.cycle_parts, name, None) for name in cycle_parts_section.NAMES]
    return [layer.kernel or None, *map(_hundredths, (layer.bound_cycles, *parts))]


def _rounded(value: float | int | None, measurement: Measurement | None) -> float | int | None:
    """Without the digits that means over inputs and divisions bring: counts to a hundredth, else six digits."""
    if measurement is None or not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if measurement.unit in ("s", "J", "fraction", "real") else _hundredths(value)


def _hundredths(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    rounded = round(value, 2)
    return int(rounded) if rounded.is_integer() else rounded


def _case(run: RunResult) -> tuple[str, ...]:
    return (run.scenario, run.model, run.board, run.toolchain.name, run.emulator.name)


def _text(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows([cell(value) for value in row] for row in rows)
    return stream.getvalue()


def cell(value: object) -> object:
    """`value` as a cell, empty for None."""
    return "" if value is None else for_csv(value) if isinstance(value, str) else value
