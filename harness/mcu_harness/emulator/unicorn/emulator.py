"""The embedded default emulator: in this process, on Unicorn; nothing else to install.

It executes the core's instructions on the board's memory map, with the console UART, semihosting, and the counters and
exceptions of the system control space. Faults are not taken: one ends the run and is described.
"""

from __future__ import annotations

from importlib.metadata import version

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.emulator.live import LiveMachine, LiveSetup
from mcu_harness.emulator.unicorn.memory import unmappable
from mcu_harness.emulator.unicorn.run import Run
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


class UnicornEmulator:
    """Implements `mcu_harness.emulator.live.LiveEmulator`. One engine a run: nothing is kept between runs."""

    name = "unicorn"

    def version(self) -> str:
        return version("unicorn")

    def supports(self, board: Board) -> str:
        return unmappable(board)

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        _require(board)
        _refuse_files(plan, "use --emulator renode, or take [renode] out of the scenario")
        if plan.windows and plan.begin is not None and plan.begin == plan.end:
            raise EmulatorError(
                f"measurement would begin and end at the same address {plan.begin:#010x}",
                hint="choose two symbols; compilers give identical empty functions one address",
            )
        return Run(program, board, plan).execute()

    def live(self, setup: LiveSetup) -> LiveMachine:
        from mcu_harness.emulator.unicorn.live_run import LiveRun  # late: most runs are not live

        _require(setup.board)
        _refuse_files(setup.plan, 'use mcu_board(..., emulator="renode")')
        return LiveRun(setup)

    def close(self) -> None:
        pass


def _refuse_files(plan: RunPlan, hint: str) -> None:
    if plan.includes:
        raise EmulatorError(f"the embedded emulator knows nothing of Renode's files: {plan.includes[0]}", hint=hint)
    if plan.other_cores:
        raise EmulatorError(
            f"the embedded emulator runs one core only, and {plan.other_cores[0].name} is to run beside it", hint=hint
        )


def _require(board: Board) -> None:
    reason = unmappable(board)
    if reason:
        raise EmulatorError(f"{board.name} cannot run in the embedded emulator: {reason}", hint="use Renode")
