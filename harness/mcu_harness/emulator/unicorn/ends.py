"""How a run in the embedded emulator ended, before it becomes an `Execution`."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.contract import ExitReason, Fault, FaultKind


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, as `Execution` says it."""

    reason: ExitReason
    status: int | None = None
    detail: str = ""
    fault: Fault | None = None


def faulted(kind: FaultKind, detail: str) -> End:
    """A fault that is not about an address."""
    return End(ExitReason.FAULT, detail=detail, fault=Fault(kind))
