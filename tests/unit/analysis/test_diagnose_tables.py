"""Tables that faults are explained by: fault status as the manual defines it, endings by name, frames, arguments."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mcu_harness.analysis.diagnose.addresses import about
from mcu_harness.analysis.diagnose.arguments import arguments, text_at
from mcu_harness.analysis.diagnose.endings import other_ending
from mcu_harness.analysis.diagnose.exception_handlers import exception_name, vectors_of, vectors_text
from mcu_harness.analysis.diagnose.failure_functions import FAILURE_FUNCTIONS, failure_function
from mcu_harness.analysis.diagnose.status import CFSR_BITS, predict
from mcu_harness.emulator.contract import BlockCounts, ExitReason, Fault, FaultKind
from mcu_harness.emulator.fault_kinds import FAULT_MEANINGS
from mcu_harness.emulator.unicorn.divisions import Site, division_sites
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program, Segment, read_program
from user_firmware import build

M4, M0, M23 = (find_board(name) for name in ("stm32f4_discovery", "nucleo_g071rb", "ek_ra2e1"))
ALL_ENABLED = {"shcsr": 7 << 16}
# As Arm's own header for these cores has them (CMSIS: SCB_CFSR_*_Msk), spelled out.
WORDS = {
    FaultKind.UNDEFINED: (0x00010000, "UsageFault"),
    FaultKind.NOT_THUMB: (0x00020000, "UsageFault"),
    FaultKind.NO_COPROCESSOR: (0x00080000, "UsageFault"),
    FaultKind.STACK_LIMIT: (0x00100000, "UsageFault"),
    FaultKind.UNALIGNED: (0x01000000, "UsageFault"),
    FaultKind.DIVIDE_BY_ZERO: (0x02000000, "UsageFault"),
    FaultKind.READ: (0x00008200, "BusFault"),
    FaultKind.WRITE: (0x00000400, "BusFault"),
    FaultKind.FLASH_WRITE: (0x00000400, "BusFault"),
    FaultKind.RETURN_FROM_RESET: (0x00000001, "MemManage"),
    FaultKind.NO_HANDLER: (0x00020000, "UsageFault"),
    FaultKind.STACKING: (0x00001000, "BusFault"),
    FaultKind.UNSTACKING: (0x00000800, "BusFault"),
}


@pytest.mark.parametrize("kind", WORDS)
def test_fault_status_is_the_manual_s(kind: FaultKind) -> None:
    word, taken = WORDS[kind]
    status = predict(Fault(kind, 0x30000000, 4), M4, ALL_ENABLED)
    assert status is not None
    assert (status.cfsr, status.hfsr, status.taken) == (word, 0, taken)
    assert status.bfar == (0x30000000 if kind is FaultKind.READ else None)


def test_a_handler_that_is_not_enabled_escalates_to_hard_fault() -> None:
    for shcsr in (0, 1 << 16, 1 << 17):
        status = predict(Fault(FaultKind.UNDEFINED), M4, {"shcsr": shcsr})
        assert status is not None and status.hfsr == 0x40000000 and status.taken.startswith("HardFault (a UsageFault")
    status = predict(Fault(FaultKind.UNDEFINED), M4, {"shcsr": 1 << 18})
    assert status is not None and (status.hfsr, status.taken) == (0, "UsageFault")
    assert "FORCED" in str(predict(Fault(FaultKind.READ, 0x30000000, 4), M4, {}))


@pytest.mark.parametrize("board", [M0, M23], ids=lambda board: str(board.core.name))
def test_small_cores_have_hard_fault_only(board) -> None:  # type: ignore[no-untyped-def]
    for kind in WORDS:
        status = predict(Fault(kind, 0x30000000, 4), board, ALL_ENABLED)
        assert status is not None and (status.taken, status.cfsr, status.hfsr, status.bfar) == ("HardFault", 0, 0, None)


@pytest.mark.parametrize(("active", "name"), [(3, "HardFault"), (2, "NMI")])
def test_a_fault_in_a_handler_of_the_highest_priorities_locks_up(active: int, name: str) -> None:
    for board in (M4, M0):
        status = predict(Fault(FaultKind.UNDEFINED), board, {"xpsr": 1 << 24 | active, **ALL_ENABLED})
        assert status is not None and status.taken == "lock-up" and name in status.why


def test_masks_decide_too() -> None:
    status = predict(Fault(FaultKind.UNDEFINED), M4, {"faultmask": 1, **ALL_ENABLED})
    assert status is not None and status.taken == "lock-up" and "FAULTMASK" in status.why
    status = predict(Fault(FaultKind.UNDEFINED), M4, {"primask": 1, **ALL_ENABLED})
    assert status is not None and status.hfsr == 0x40000000 and "PRIMASK" in status.taken


def test_what_is_never_executed_is_told_from_what_is_not_there() -> None:
    flags = {address: str(predict(Fault(FaultKind.JUMP, address), M4, {})) for address in (0x40000000, 0xE0000000)}
    assert all("IACCVIOL" in text for text in flags.values())
    assert "IBUSERR" in str(predict(Fault(FaultKind.JUMP, 0x30000000), M4, {}))
    assert "INVPC" in str(predict(Fault(FaultKind.EXCEPTION_RETURN, 0xFFFFFFF8), M4, {"xpsr": 15}))


def test_what_is_no_fault_has_no_status() -> None:
    for kind in (FaultKind.RESET_REQUEST, FaultKind.OTHER):
        assert predict(Fault(kind), M4, {}) is None
    assert len(set(CFSR_BITS.values())) == len(CFSR_BITS)


def test_a_supervisor_call_that_cannot_be_taken_becomes_a_hard_fault() -> None:
    # Armv7-M ARM, B1.5.6: priority escalation of synchronous exceptions.
    status = predict(Fault(FaultKind.SUPERVISOR_CALL), M4, {"primask": 1})
    assert status is not None and str(status).startswith("HardFault, HFSR 0x40000000 (FORCED); ")


def test_every_kind_of_fault_has_a_meaning() -> None:
    assert set(FAULT_MEANINGS) == set(FaultKind)
    for meaning in FAULT_MEANINGS.values():
        assert re.fullmatch(r"(fault|run)\.[a-z-]+", meaning.code)
        assert len(meaning.advice) > 20


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (0, "a null pointer"),
        (0x10, "a null pointer (with an offset of 0x10)"),
        (0xA5A5A5A9, "memory of the stack that was never written"),
        (0xFFFFFFFF, "-1 as a pointer"),
        (0x22000040, "the bit-band alias"),
        (0x20020008, "8 B behind the end of sram"),
        (0x1FFFFFF0, "16 B below the start of sram"),
        (0x64636260, "the bytes are text, 'abcd'"),
        (0x50000000, "the space of devices"),
        (0xE0200000, "reserved"),
        (0xC0000000, "the space of devices"),
        (0xE0042000, "the core's own registers"),
        (0x90000000, ""),
    ],
)
def test_an_address_gives_its_pointer_away(address: int, said: str) -> None:
    assert about(address, M4).startswith(said) and bool(about(address, M4)) == bool(said)


def test_endings_are_found_by_name() -> None:
    assert len({name for ending in FAILURE_FUNCTIONS for name in ending.names}) == sum(
        len(ending.names) for ending in FAILURE_FUNCTIONS
    )
    for name, code in {
        "__assert_func": "fault.assert",
        "abort": "fault.abort",
        "__stack_chk_fail": "fault.stack-smashed",
        "_ZSt24__throw_out_of_range_fmtPKcz": "fault.exception-thrown",
        "_ZN10__cxxabiv111__terminateEPFvvE": "fault.terminate",
        "vApplicationStackOverflowHook": "run.stack-overflow",
    }.items():
        found = failure_function(name)
        assert found is not None and found.code == code
    assert failure_function("main") is None and failure_function("aborted") is None


@pytest.mark.parametrize("reason", [ExitReason.TIMEOUT, ExitReason.INSTRUCTION_LIMIT])
@pytest.mark.parametrize("generated", [False, True])
def test_firmware_that_goes_on_for_ever_can_be_stopped_earlier(reason: ExitReason, generated: bool) -> None:
    """Not firmware that is generated: it ends by itself, or never was right."""
    execution = SimpleNamespace(reason=reason, detail="not finished after 5 s", pc=0x80000C8, registers={}, calls=())
    firmware = SimpleNamespace(generated=generated, plan=SimpleNamespace(begin=None))
    places = SimpleNamespace(where=lambda pc: f"in never at {pc:#010x}", path=lambda _: [])
    case = SimpleNamespace(execution=execution, firmware=firmware, places=places, layer="", path=[])
    finding = other_ending(case)  # type: ignore[arg-type]
    assert finding is not None and finding.message == f"{reason} in never at 0x080000c8: not finished after 5 s"
    assert ("--stop-after" in finding.advice) == (not generated)


def test_exceptions_have_their_names() -> None:
    assert [exception_name(n) for n in (2, 3, 6, 15, 16, 53)] == [
        "NMI", "HardFault", "UsageFault", "SysTick", "interrupt 0", "interrupt 37",
    ]  # fmt: skip
    assert vectors_text([2, 3, 16, 18]) == "NMI, HardFault, interrupt 0, interrupt 2"
    assert vectors_text([11, *range(16, 60)]) == "SVCall, 44 interrupts"


@pytest.mark.gnu
def test_the_vector_table_says_whose_handler_a_function_is(tmp_path: Path) -> None:
    program = read_program(build(tmp_path, "int main(void) { return 0; }"))
    for name, numbers in {"Default_Handler": [2], "HardFault_Handler": [3], "main": []}.items():
        function = program.symbol(name)
        assert vectors_of(program, 0x08000000, (function.address, function.address + function.size)) == numbers
    assert vectors_of(program, None, (0, 1 << 32)) == vectors_of(program, 0x70000000, (0, 1 << 32)) == []


def test_divisions_are_found_but_for_those_in_it_blocks() -> None:
    udiv, it, ite, nop = (bytes.fromhex(text) for text in ("b1fbf2f3", "18bf", "0cbf", "00bf"))
    code = nop + udiv + it + udiv + udiv + ite + nop + udiv + nop + udiv[:2] + bytes.fromhex("f2f4")
    segment = Segment(0x100, 0x100, code, len(code), True, False)
    program = Program(Path(), 0, (segment,), (), (), ((0x100, 0x100 + len(code)),), "")
    assert division_sites(program) == [Site(0x102, 2), Site(0x10C, 2), Site(0x11A, 2)]


def counts_of(address: int, code: bytes) -> BlockCounts:
    """One block."""
    numbers = [np.array([value]) for value in (address, len(code), 1, -1, address, 0, -1, 0, 1)]
    return BlockCounts(*numbers, block_code=(code,))  # type: ignore[arg-type]


@pytest.mark.gnu
@pytest.mark.parametrize("cpu", ["cortex-m0", "cortex-m4"])
def test_constant_arguments_of_a_call_are_read_from_the_code(cpu: str, tmp_path: Path) -> None:
    code = """
    __attribute__((noinline, noclone)) void fail(const char *file, int line, int x, const char *text) { for (;;) { } }
    int main(int argc, char **argv) { fail("dir/a.c", 70000, argc, "n < \\x1b[2J"); return 0; }
    """
    program = read_program(build(tmp_path, code, cpu=cpu))
    main, fail = program.symbol("main"), program.symbol("fail")
    segment = next(s for s in program.segments if s.address <= main.address < s.address + len(s.data))
    at = main.address - segment.address
    whole = segment.data[at : at + main.size]
    call = next(n for n in range(0, main.size, 2) if bl_target(whole[n : n + 4], main.address + n) == fail.address)
    given = arguments(counts_of(main.address, whole[: call + 4]), program, main.address + call + 4)
    assert given[1] == 70000 and given[2] is None
    assert text_at(program, given[0]) == "dir/a.c"
    assert text_at(program, given[3]) == "n < ?[2J"
    assert arguments(counts_of(main.address, whole), program, 0x1234) == (None,) * 4
    assert text_at(program, None) == text_at(program, 0x70000000) == ""


def bl_target(code: bytes, at: int) -> int | None:
    """Where a BL goes, None for anything else."""
    from mcu_harness.hardware.arm.thumb import CALL, block_end

    if len(code) < 4 or code[1] >> 3 != 0b11110 or code[3] >> 6 != 0b11:
        return None
    end = block_end(code, at)
    return end.target if end.kind == CALL else None
