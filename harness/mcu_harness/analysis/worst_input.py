"""What the worst of all inputs cost: figures that a budget can limit, and what contributes to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.analysis.profile.spread import Real, whole
from mcu_harness.base.units import format_hertz
from mcu_harness.hardware.board import Board
from mcu_harness.results.cost_records import Spread
from mcu_harness.results.origin import Origin, OriginKind, not_measured
from mcu_harness.results.records import Contributor, Measurement, Tool

_NOT_APART = not_measured("there were too many inputs to tell them apart")
_OUTSIDE = "outside of layers"


class WorstInput(Analysis):
    """What the input that cost most did cost."""

    reads_costs = True

    def read(self, run: ObservedRun) -> Reading:
        return Reading(
            figures=worst_figures(run.profile, run.board, run.emulator),
            contributors=worst_contributors(run.profile, run.firmware.code_regions, run.board),
        )

    def unread(self, board: Board, emulator: Tool) -> Reading:
        return Reading(figures=worst_figures(None, board, emulator))


def worst_figures(profiled: Profile | None, board: Board, counted_by: Tool) -> tuple[Measurement, ...]:
    """Instructions, cycles and latency of the input that took most; of a single input, its own."""
    instructions = cycles = None
    counted = Origin(OriginKind.COUNTED, f"{counted_by.name} {counted_by.version}")
    timing = not_measured("the run did not finish")
    if profiled is not None:
        instructions = _most(profiled.spread.instructions, profiled.instructions, profiled.inputs)
        cycles = _most(profiled.spread.cycles, profiled.cycles, profiled.inputs)
        costs = profiled.windows
        counted = counted.and_(_which(profiled, None if costs is None else costs.instructions))
        timing = profiled.cycles_origin
        if cycles is not None:
            timing = timing.and_(_which(profiled, None if costs is None else costs.cycles))
        elif profiled.cycles is not None:
            timing = _NOT_APART
    latency = None if cycles is None else cycles / board.clock_hz
    at_clock = Origin(OriginKind.ESTIMATED, f"cycles of the worst input at {format_hertz(board.clock_hz)}")
    return (
        Measurement.of("instructions_max", instructions, counted),
        Measurement.of("cycles_max", cycles, timing),
        Measurement.of("latency_max_s", latency, timing if latency is None else at_clock),
    )


def worst_contributors(
    profiled: Profile | None, parts: Sequence[CodeRegion], board: Board
) -> dict[str, tuple[Contributor, ...]]:
    """What each layer cost in the worst input, largest first, by measurement name; {} where that is not known."""
    if profiled is None or profiled.windows is None or not parts:
        return {}
    names = [*(f"layer {part.name}" for part in parts), _OUTSIDE]
    costs = profiled.windows
    found = {"instructions_max": _parts(names, costs.instructions, 1)}
    if costs.cycles is not None:
        found["cycles_max"] = _parts(names, costs.cycles, 1)
        found["latency_max_s"] = _parts(names, costs.cycles, board.clock_hz)
    return found


def _most(spread: Spread | None, single: float | int | None, inputs: int) -> float | int | None:
    if inputs < 2:
        return single
    return None if spread is None else spread.maximum


def _which(profiled: Profile, costs: Real | None) -> str:
    """Which input it was, the first of several that are alike."""
    if profiled.inputs < 2:
        return "there was one input"
    if costs is not None and np.ptp(whole(costs)) == 0:
        return f"the same for each of {profiled.inputs} inputs"
    if costs is None:
        return f"the most of {profiled.inputs} inputs"
    return f"the most of {profiled.inputs} inputs: input {int(np.argmax(whole(costs)))}"


def _parts(names: Sequence[str], costs: Real, divisor: int) -> tuple[Contributor, ...]:
    row = costs[int(np.argmax(whole(costs)))]
    ordered = sorted(zip(names, row.tolist(), strict=True), key=lambda part: (-part[1], part[0]))
    return tuple(Contributor(name, value / divisor) for name, value in ordered if value)
