"""Small firmware run in any emulator and explained as the pipeline does it."""

from __future__ import annotations

from pathlib import Path

from small_firmware import firmware, plan_for

from mcu_harness.analysis.analyses import analyses_for
from mcu_harness.analysis.firmware_under_test import CodeRegion, FirmwareUnderTest
from mcu_harness.analysis.observation import ObservedRun, Request, merged
from mcu_harness.emulator.contract import Emulator, Execution
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.program import Program
from mcu_harness.results.records import Finding, Tool


def firmware_of(program: Program, board: Board, layer: str = "layer_07") -> FirmwareUnderTest:
    """What the pipeline knows of a program that it has generated; mcu_infer is its one layer."""

    def never(_: object) -> object:
        raise AssertionError("not asked for")

    return FirmwareUnderTest(
        model="",
        program=program,
        footprint=read_footprint(program, board),
        plan=plan_for(program, timeout_s=60, max_instructions=3_000_000),
        toolchain=Tool("", ""),
        code_regions=(CodeRegion(layer, "", (program.symbol("mcu_infer").address,)),),
        check=never,  # type: ignore[arg-type]
        provenance=never,  # type: ignore[arg-type]
    )


def explained(
    emulator: Emulator, board: Board, code: str, cache: Path, toolchain: str = "gnu"
) -> tuple[Execution, list[Finding]]:
    """Run `code`, which must define mcu_infer, and say what was found."""
    program = firmware(board, code, cache, toolchain)
    under_test = firmware_of(program, board)
    execution = emulator.run(program, board, under_test.plan)
    run = ObservedRun(under_test, board, Tool(emulator.name, ""), execution)
    early = [analysis for analysis in analyses_for(Request(board)) if not analysis.reads_costs]
    return execution, list(merged(analysis.read(run) for analysis in early).findings)
