"""Opens a live board: reads the firmware, and has an emulator make the machine that runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mcu_harness.analysis.profile.cycles.step_clock import StepClock
from mcu_harness.app.live.board import Keep, LiveBoard
from mcu_harness.app.live.firmware import TestPlace, load
from mcu_harness.app.other_cores import other_cores
from mcu_harness.emulator.emulators import EMULATORS
from mcu_harness.emulator.kept import KeptEmulators
from mcu_harness.emulator.live import Listener, LiveMachine, LiveSetup
from mcu_harness.scenario.renode_table import OtherCoreSpec


def open_board(
    image: Path,
    board: str,
    test: TestPlace,
    keep: Keep,
    emulators: KeptEmulators,
    emulator: str = "auto",
    includes: tuple[Path, ...] = (),
    others: tuple[OtherCoreSpec, ...] = (),
) -> LiveBoard:
    """`image` on `board`, just after reset; raises HarnessError where it cannot be run.

    `emulator` is one's name, or "auto" for the one that is always there and starts at once. `includes` are the
    user's own platform descriptions and scripts, for Renode, and `others` the cores that run beside the one under test.
    """
    firmware = load(image, board, test)
    chosen = emulators.get(EMULATORS[0].name if emulator == "auto" else emulator)
    program, plan = (
        firmware.program,
        replace(firmware.under_test.plan, includes=includes, other_cores=other_cores(others)),
    )

    def machine(listener: Listener) -> LiveMachine:
        return chosen.live(LiveSetup(program, firmware.board, plan, StepClock(firmware.board), listener))

    return LiveBoard(firmware, machine, test.name, keep)
