"""An oracle for memory traces: how often a stretch of a program reads and writes each address, counted by Renode."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from mcu_harness.emulator.contract import RunPlan
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.server import csharp_source
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_SOURCE = Path(__file__).parent / "RenodeAccesses.cs"


def accesses(
    renode: RenodeEmulator, program: Program, board: Board, plan: RunPlan, folder: Path
) -> dict[int, tuple[int, int]]:
    """(reads, writes) by address, between `begin` and `end` of `plan`; what several registers are moved by counts singly.

    An address is where an access starts; its width is not known. Fetches of instructions do not count.
    """
    assert plan.begin is not None and plan.end is not None
    result, script, source = (folder / f"accesses.{suffix}" for suffix in ("txt", "resc", "cs"))
    source.write_text(csharp_source("RenodeApi.cs") + _SOURCE.read_text())
    script.write_text(
        f"include @{source}\nemulation CountMcuHarnessAccesses {plan.begin:#x} {plan.end:#x} {str(result)!r}\n"
    )
    renode.run(program, board, dataclasses.replace(plan, includes=(*plan.includes, script)))
    lines = (line.split() for line in result.read_text().splitlines())
    return {int(address): (int(reads), int(writes)) for address, reads, writes in lines}
