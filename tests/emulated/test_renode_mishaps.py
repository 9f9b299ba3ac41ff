"""Whatever goes wrong in firmware under Renode ends in time and says what happened, where: Renode itself stays silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_firmware import firmware, plan_for

from mcu_harness.emulator.contract import ExitReason
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board

pytestmark = pytest.mark.renode

# `at` is a label in the firmware's assembly at which the mishap must be found, or an address.
MISHAPS = {
    "read-outside": (
        'ldr r3, =0x30000000\nmcu_test_here: ldr r2, [r3]\nbx lr',
        ExitReason.FAULT, "mcu_test_here", "it reads 4 B at 0x30000000, where the board has no memory",
    ),
    "write-outside-a-byte-behind-ram": (
        'ldr r3, =0x20020000\nmovs r2, #1\nmcu_test_here: strb r2, [r3]\nbx lr',
        ExitReason.FAULT, "mcu_test_here", "it writes 1 B at 0x20020000, where the board has no memory",
    ),
    "read-where-the-stock-platform-has-more-memory-than-the-board": (
        'ldr r3, =0x60000000\nmcu_test_here: ldrh r2, [r3]\nbx lr',
        ExitReason.FAULT, "mcu_test_here", "it reads 2 B at 0x60000000, where the board has no memory",
    ),
    "jump-to-nowhere": (
        'ldr r3, =0x60000001\nbx r3', ExitReason.FAULT, 0x60000000, "it jumps to 0x60000000, where no code can be",
    ),
    "jump-into-a-device": (
        'ldr r3, =0x40000001\nbx r3', ExitReason.FAULT, 0x40000000, "it jumps to 0x40000000, where no code can be",
    ),
    "jump-to-an-even-address": (
        'ldr r3, =mcu_window_begin\nlsrs r3, #1\nlsls r3, #1\nbx r3',
        ExitReason.FAULT, "mcu_window_begin", "it leaves Thumb state, which a Cortex-M core cannot",
    ),
    "undefined-instruction": (
        'mcu_test_here: udf #1\nbx lr', ExitReason.FAULT, "mcu_test_here", "the core has no instruction de01 (undefined, or of a larger core or an FPU)",
    ),
    "hard-fault-with-the-other-handlers-off": (
        'ldr r3, =0xE000ED24\nmovs r2, #0\nstr r2, [r3]\nmcu_test_here: udf #1\nbx lr',
        ExitReason.FAULT, "mcu_test_here", "the core has no instruction de01 (undefined, or of a larger core or an FPU)",
    ),
    "lock-up-by-a-fault-in-the-fault-handler": (
        'ldr r3, =0xE000ED08\nldr r2, =0x20000000\nstr r2, [r3]\nmcu_test_here: udf #1\nbx lr',
        ExitReason.FAULT, "mcu_test_here", "the core has no instruction de01 (undefined, or of a larger core or an FPU)",
    ),
    "write-to-flash": (
        "ldr r3, =0x08010000\nmovs r2, #1\nmcu_test_here: str r2, [r3]\nbx lr",
        ExitReason.FAULT, "mcu_test_here", "it writes 4 B at 0x08010000, which is flash",
    ),
    "request-for-a-system-reset": (
        "ldr r3, =0xE000ED0C\nldr r2, =0x05FA0004\nmcu_test_here: str r2, [r3]\nb .",
        ExitReason.FAULT, "mcu_test_here", "it asked for a system reset",
    ),
    "breakpoint-without-a-debugger": (
        'mcu_test_here: bkpt #1\nbx lr', ExitReason.FAULT, "mcu_test_here", "it runs into a breakpoint (be01) without a debugger",
    ),
    "branch-to-itself": (
        'mcu_test_here: b .', ExitReason.ENDLESS_LOOP, "mcu_test_here", "it branches to itself for ever",
    ),
    "supervisor-call-into-a-handler-that-loops": (
        'svc #1\nbx lr', ExitReason.ENDLESS_LOOP, "mcu_supervisor_call", "it branches to itself for ever",
    ),
    "wait-for-interrupt-without-a-source": (
        'wfi\nmcu_test_here: bx lr', ExitReason.ENDLESS_LOOP, "mcu_test_here", "it waits for an interrupt (WFI), and none can come",
    ),
    "loop-that-does-something": (
        'movs r2, #0\nmcu_test_here: adds r2, #1\nb mcu_test_here',
        ExitReason.INSTRUCTION_LIMIT, "mcu_test_here", "not finished after 3,000,000 instructions",
    ),
}  # fmt: skip


def body(assembly: str) -> str:
    lines = "\\n\\t".join(assembly.splitlines())
    return (
        "__attribute__((naked, noinline, used)) void mcu_infer(void) {\n"
        f'    __asm__ volatile(".global mcu_test_here\\n\\t{lines}\\n\\t.ltorg");\n}}\n'
    )


@pytest.fixture(scope="module")
def board() -> Board:
    return find_board("stm32f4_discovery")


@pytest.mark.parametrize("profile", [True, False], ids=["profile", "count"])
@pytest.mark.parametrize("name", MISHAPS)
def test_mishap_ends_and_is_named(
    name: str, profile: bool, renode: RenodeEmulator, board: Board, firmware_cache: Path
) -> None:
    assembly, reason, at, detail = MISHAPS[name]
    program = firmware(board, body(assembly), firmware_cache)
    execution = renode.run(program, board, plan_for(program, profile=profile, max_instructions=3_000_000, timeout_s=60))
    assert execution.reason is reason
    assert execution.detail.startswith(detail)
    where = at if isinstance(at, int) else program.symbol(at).address
    assert where <= execution.pc <= where + (2 if reason is ExitReason.INSTRUCTION_LIMIT else 0)
    assert execution.console == "mcu-harness: start\r\n"
    assert execution.window_instructions == ()
