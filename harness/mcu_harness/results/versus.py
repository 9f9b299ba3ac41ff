"""Firmware that was made here beside firmware that was made elsewhere, on one board: figures, ratios, layers in pairs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.records import RunResult

FIGURES = ("instructions", "cycles", "flash_bytes", "ram_bytes", "stack_hwm_bytes")
_NUMBER = re.compile(r"^\d+ | \d+$")  # of a layer, or of a call


@dataclass(frozen=True, slots=True)
class Contender:
    """One of the firmwares that are compared, and its run."""

    name: str
    run: RunResult


@dataclass(frozen=True, slots=True)
class Versus:
    """Runs on one board. Ratios are to the first of `contenders`."""

    board: str
    contenders: tuple[Contender, ...]

    @property
    def ours(self) -> RunResult:
        return self.contenders[0].run

    def ratio(self, contender: Contender, figure: str) -> float | None:
        """The figure of `contender` over that of the first; None where either was not measured."""
        return _ratio(self.ours.value(figure), contender.run.value(figure))

    def layers(self) -> list[tuple[LayerResult, tuple[LayerResult | None, ...]]]:
        """Every layer of the first, with the one of each of the others that belongs to it."""
        others = [_pairs(self.ours.layers, contender.run.layers) for contender in self.contenders[1:]]
        return [(layer, tuple(found[nth] for found in others)) for nth, layer in enumerate(self.ours.layers)]


def cycles_ratio(ours: LayerResult, theirs: LayerResult | None) -> float | None:
    """Cycles of one layer over those of another; None where they are not known."""
    return _ratio(ours.cycles, theirs.cycles) if theirs is not None else None


def _ratio(ours: float | int | None, theirs: float | int | None) -> float | None:
    return theirs / ours if ours and theirs is not None else None


def _pairs(ours: Sequence[LayerResult], theirs: Sequence[LayerResult]) -> list[LayerResult | None]:
    """For each layer of `ours` the one of `theirs`: in order, by operator, and by place between two that agree."""
    found: list[LayerResult | None] = [None] * len(ours)
    matcher = SequenceMatcher(None, [*map(_kind, ours)], [*map(_kind, theirs)], autojunk=False)
    for _, i, i_end, j, j_end in matcher.get_opcodes():
        if i_end - i == j_end - j:
            found[i:i_end] = theirs[j:j_end]
    return found


def _kind(layer: LayerResult) -> str:
    """The operator, or the name that a region was given, without its number."""
    return _NUMBER.sub("", layer.operator or layer.name)
