"""The heap of firmware that uses the C library's: how much of it was ever given out."""

from __future__ import annotations

from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading
from mcu_harness.results.origin import Origin, OriginKind
from mcu_harness.results.records import Measurement


class Heap(Analysis):
    """The most heap that the C library's `sbrk` ever gave out."""

    def read(self, run: ObservedRun) -> Reading:
        if run.execution.heap is None:
            return Reading()
        low, high = run.execution.heap
        watched = Origin(OriginKind.OBSERVED, "by watching every call of sbrk")
        return Reading(figures=(Measurement.of("heap_hwm_bytes", high - low, watched),))
