"""Everything that can be known of a run, in the order in which reports say it. A new analysis is an entry here."""

from __future__ import annotations

from mcu_harness.analysis.core_conformance import CoreConformance
from mcu_harness.analysis.coverage.covered import Covered
from mcu_harness.analysis.diagnose.findings import Diagnosis
from mcu_harness.analysis.heap import Heap, HeapOverTime
from mcu_harness.analysis.memory.access_counts import AccessCounts
from mcu_harness.analysis.observation import Analysis, Request
from mcu_harness.analysis.stack.use import Stack
from mcu_harness.analysis.what_if.questions import WhatIfs
from mcu_harness.analysis.worst_input import WorstInput

ANALYSES: tuple[type[Analysis], ...] = (
    Diagnosis,
    CoreConformance,
    Heap,
    HeapOverTime,
    Stack,
    WhatIfs,
    AccessCounts,
    Covered,
    WorstInput,
)


def analyses_for(request: Request) -> tuple[Analysis, ...]:
    """Those that `request` asks for; raises HarnessError for a question that cannot be read."""
    asked = (kind.asked(request) for kind in ANALYSES)
    return tuple(analysis for analysis in asked if analysis is not None)
