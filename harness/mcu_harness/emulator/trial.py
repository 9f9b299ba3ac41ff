"""A trial of an emulator: whether it starts and counts ten instructions, before anything is entrusted to it."""

from __future__ import annotations

import contextlib
import hashlib
import struct
from pathlib import Path

from mcu_harness.base.cache import default_root, digest
from mcu_harness.base.errors import EmulatorError, HarnessError
from mcu_harness.base.files import write_text
from mcu_harness.emulator.contract import Emulator, ExitReason, RunPlan
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program, Segment

# A board that Renode has no platform of its own for, so that a damaged one is not what fails.
_BOARD = "nucleo_l4r5zi"
_FLASH, _STACK = 0x0800_0000, 0x2000_1000
_CODE = _FLASH + 8
_HALFWORDS = (
    0x2006,  # movs r0, #6
    0x2107,  # movs r1, #7
    0x4348,  # muls r0, r1
    0x2203,  # movs r2, #3
    0x3A01,  # subs r2, #1
    0xD1FD,  # bne to the line before: three times
    0xE7FE,  # b to itself; the run ends before it
)
_ANSWER, _INSTRUCTIONS = 42, 10
_TIMEOUT_S = 30.0


def try_out(emulator: Emulator) -> int:
    """Run ten instructions; returns how many were counted. Raises EmulatorError when anything else comes of it.

    The emulator is the caller's to close.
    """
    code = struct.pack(f"<II{len(_HALFWORDS)}H", _STACK, _CODE | 1, *_HALFWORDS)
    segment = Segment(_FLASH, _FLASH, code, len(code), executable=True, writable=False)
    program = Program(
        Path("trial"), _CODE, (segment,), (), (), ((_CODE, _FLASH + len(code)),), hashlib.sha256(code).hexdigest()
    )
    end = _FLASH + len(code) - 2
    plan = RunPlan(
        begin=None, end=None, exit=end, windows=(), stack=(0, 0), max_instructions=1000, timeout_s=_TIMEOUT_S
    )
    execution = emulator.run(program, find_board(_BOARD), plan)
    got = (execution.reason, execution.status, execution.window_instructions)
    if got != (ExitReason.FINISHED, _ANSWER, (_INSTRUCTIONS,)):
        raise EmulatorError(
            f"{emulator.name} {emulator.version()} does not run ten instructions right: {execution.reason}, "
            f"result {execution.status} instead of {_ANSWER}, {execution.window_instructions} instructions counted",
            hint="try another version of it, or another emulator",
        )
    return _INSTRUCTIONS


def why_unusable(emulator: Emulator, identity: str) -> str:
    """ "" when a trial succeeds, or has succeeded for `identity` before; else what was said of it, in one line."""
    try:
        memory = default_root() / "trial" / f"{digest([emulator.name, identity])}.passed"
        if memory.is_file():
            return ""
    except (HarnessError, OSError):  # without a place to keep it, it is only tried each time
        memory = None
    try:
        try_out(emulator)
    except EmulatorError as error:
        return error.message.splitlines()[0]
    finally:
        emulator.close()
    if memory is not None:
        with contextlib.suppress(HarnessError):
            write_text(memory, f"{emulator.name} {emulator.version()}\n")
    return ""
