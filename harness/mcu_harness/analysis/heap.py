"""The heap of firmware that uses the C library's: how much of it was ever given out, and what was on it over time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading, Request
from mcu_harness.emulator.contract import RunPlan
from mcu_harness.emulator.heap_log import HeapLog, heap_functions
from mcu_harness.hardware.board import Board
from mcu_harness.results.memory_records import HeapUse
from mcu_harness.results.origin import Origin, OriginKind
from mcu_harness.results.records import Measurement

_MOST_MOMENTS = 400  # that results keep


class Heap(Analysis):
    """The most heap that the C library's `sbrk` ever gave out."""

    def read(self, run: ObservedRun) -> Reading:
        if run.execution.heap is None:
            return Reading()
        low, high = run.execution.heap
        watched = Origin(OriginKind.OBSERVED, "by watching every call of sbrk")
        return Reading(figures=(Measurement.of("heap_hwm_bytes", high - low, watched),))


class HeapOverTime(Analysis):
    """What the firmware has on its heap, by the calls of its allocator."""

    @classmethod
    def asked(cls, request: Request) -> Self | None:
        return cls() if request.heap_trace else None

    def plan(self, plan: RunPlan, firmware: FirmwareUnderTest, board: Board, emulator: str) -> RunPlan:
        return replace(plan, heap_functions=heap_functions(firmware.program))

    def read(self, run: ObservedRun) -> Reading:
        log = run.execution.heap_log
        if log is None or not log.calls:
            return Reading()
        use = heap_use(log)
        return Reading(show=lambda result: replace(result, heap=use))


def heap_use(log: HeapLog) -> HeapUse:
    """`log` as results have it."""
    return HeapUse(
        calls=log.calls,
        failed=log.failed,
        unknown=log.unknown,
        peak_bytes=max((in_use for _, in_use in log.course), default=0),
        left_bytes=log.bytes,
        left_blocks=len(log.blocks),
        course=_thinned(log.course),
    )


def _thinned(course: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Of many moments, the highest of each stretch, and the last of all."""
    if len(course) <= _MOST_MOMENTS:
        return tuple(course)
    at = [nth * (len(course) - 1) // (_MOST_MOMENTS - 1) for nth in range(_MOST_MOMENTS)]
    highest = [max(course[low:high], key=lambda moment: moment[1]) for low, high in itertools.pairwise(at)]
    return (*highest, course[-1])
