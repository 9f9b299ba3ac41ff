"""Stock platforms, our own, and what a user adds to them, in the real Renode."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from small_firmware import firmware, plan_for

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Execution, ExitReason, RunPlan, Window
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.find import Install
from mcu_harness.emulator.renode.platform import empty_ranges, mips, platform_for
from mcu_harness.emulator.renode.repl import read_entries
from mcu_harness.emulator.renode.server import RenodeServer
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import board_names, find_board

pytestmark = pytest.mark.renode

READS_A_DEVICE = """
volatile uint32_t value;
void mcu_infer(void) { value = REGISTER(0x40030000); }
"""
NAMES = ["plain", "with blanks", "semi;quit;colon", 'a "quoted" one', "$CWD", "@at", "tab\tname", "ünïcödé", "-e quit"]


@pytest.fixture(scope="module")
def board() -> Board:
    return find_board("stm32f4_discovery")


@pytest.fixture(scope="module")
def run(renode: RenodeEmulator, board: Board, firmware_cache: Path) -> object:
    """Run the firmware that reads a device register, with something included; gives the execution and the value."""
    program = firmware(board, READS_A_DEVICE, firmware_cache)
    plan = plan_for(program, [Window(reads=((program.symbol("value").address, 4),))])

    def run_with(*includes: Path) -> tuple[Execution, int]:
        execution = renode.run(program, board, replace(plan, includes=includes))
        return execution, int.from_bytes(execution.reads[0][0], "little")

    return run_with


def device(value: int) -> str:
    """A description of a register that always reads as `value`, for every version of Renode."""
    member = "'Value' if hasattr(request, 'Value') else 'value'"
    return (
        "answer: Python.PythonPeripheral @ sysbus 0x40030000\n"
        f'    size: 0x4\n    initable: true\n    script: "setattr(request, {member}, {value})"\n'
    )


def test_every_stock_cortex_m_platform_can_carry_a_board(renode_install: Install, board: Board) -> None:
    refused, used = {}, {find_board(name).renode_platform for name in board_names()}  # those run elsewhere
    server = RenodeServer(renode_install)
    try:
        cpus = server.root / "platforms/cpus"
        stock = [path for path in cpus.rglob("*.repl") if "CPU.CortexM" in path.read_text("utf-8")]
        assert len(stock) > 30
        for path in stock:
            cpus_of_it = [entry for entry in read_entries(path, server.root) if entry.type.startswith("CPU.")]
            cores = {entry.type for entry in cpus_of_it}
            name = path.relative_to(server.root).as_posix()
            if name in used or cores != {"CPU.CortexM"}:  # not every build of Renode has the other cores
                continue
            first = cpus_of_it[0].name
            other = replace(
                board, renode_platform=name, renode_core=first, console=replace(board.console, driver="none", renode="")
            )
            description = server.directory / "board.repl"
            description.write_text(platform_for(other, server.root, renode_install.version).description)
            server.request(protocol.platform_request(description, (), first, (), "", mips(other), empty_ranges(other)))
            try:
                assert server.answer(time.monotonic() + 60)[:1] == protocol.OK, name
            except EmulatorError as error:
                refused[name] = error.message
    finally:
        server.close()
    assert refused == {}


@pytest.mark.parametrize("name", NAMES)
def test_users_description_is_included_whatever_it_is_called(run: object, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.repl"
    path.write_text(device(1234))
    assert callable(run)
    execution, value = run(path)
    assert (execution.reason, value) == (ExitReason.FINISHED, 1234)


@pytest.mark.parametrize("name", NAMES)
def test_users_script_is_included_whatever_it_is_called(run: object, tmp_path: Path, name: str) -> None:
    (tmp_path / "device.repl").write_text(device(77))
    path = tmp_path / f"{name}.resc"
    path.write_text("machine LoadPlatformDescription $ORIGIN/device.repl\n")
    assert callable(run)
    execution, value = run(path)
    assert (execution.reason, value) == (ExitReason.FINISHED, 77)


def test_what_was_included_is_gone_in_the_next_run(run: object, tmp_path: Path) -> None:
    path = tmp_path / "device.repl"
    path.write_text(device(5))
    assert callable(run)
    assert run(path)[1] == 5
    assert run()[1] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frobnicate 3\n", "No such command or device: frobnicate"),
        ('log "before"\nmachine LoadPlatformDescription @nothing.repl\nlog "after"\n', "nothing.repl"),
        ("sysbus WriteDoubleWord\n", "Parameters did not match the signature"),
        ("runMacro $nothing\n", "No such variable: $nothing"),
        ("start\n", "it starts the emulation, which is for the harness to do"),
    ],
)
def test_script_with_a_command_that_fails_is_an_error_that_says_which(
    run: object, renode: RenodeEmulator, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "bad.resc"
    path.write_text(text)
    assert callable(run)
    run()
    pids = renode.pids
    assert len(pids) == 1
    with pytest.raises(EmulatorError) as caught:
        run(path)
    assert str(path) in caught.value.message
    assert said in caught.value.message
    assert run()[0].reason is ExitReason.FINISHED
    assert renode.pids == pids


def test_description_that_is_wrong_is_an_error_that_says_where(run: object, tmp_path: Path) -> None:
    path = tmp_path / "bad.repl"
    path.write_text("thing: No.Such @ sysbus 0x40030000\n")
    assert callable(run)
    with pytest.raises(EmulatorError) as caught:
        run(path)
    assert str(path) in caught.value.message
    assert "No.Such" in caught.value.message


def test_python_peripheral_that_raises_ends_in_an_error_with_its_words(run: object, tmp_path: Path) -> None:
    path = tmp_path / "raises.repl"
    path.write_text(
        "answer: Python.PythonPeripheral @ sysbus 0x40030000\n"
        "    size: 0x4\n    initable: true\n    script: \"raise ValueError('no such day')\"\n"
    )
    assert callable(run)
    with pytest.raises(EmulatorError, match="no such day") as caught:
        run(path)
    assert "  at " not in caught.value.message
    assert "IsRead" in caught.value.hint
    assert run()[0].reason is ExitReason.FINISHED


def test_core_that_this_renode_does_not_have_is_an_error_that_names_it(
    renode: RenodeEmulator, board: Board, firmware_cache: Path
) -> None:
    core = replace(board.core, renode="cortex-m99")
    other = replace(board, core=core, renode_platform="", console=replace(board.console, renode=""))
    program = firmware(board, READS_A_DEVICE, firmware_cache)
    with pytest.raises(EmulatorError, match="refuses the platform that was made for it, with cortex-m99") as caught:
        renode.run(program, other, plan_for(program))
    assert "newer version of Renode" in caught.value.hint
    assert renode.run(program, board, plan_for(program)).reason is ExitReason.FINISHED


def test_file_that_is_not_there_is_an_error(run: object, tmp_path: Path) -> None:
    assert callable(run)
    with pytest.raises(EmulatorError, match="does not exist"):
        run(tmp_path / "missing.resc")


def test_semihosting_carries_text_and_the_end_of_the_program(
    renode: RenodeEmulator, board: Board, firmware_cache: Path
) -> None:
    talkative = replace(board, console=replace(board.console, driver="semihosting", renode=""))
    program = firmware(talkative, 'void mcu_infer(void) { mcu_console_write("hello\\n"); }', firmware_cache)
    execution = renode.run(program, talkative, plan_for(program))
    assert execution.reason is ExitReason.FINISHED
    assert execution.console == "mcu-harness: start\r\nhello\nmcu-harness: done\r\n"
    ends = (
        'void mcu_infer(void) { __asm__ volatile("movs r0, #0x18\\n\\tldr r1, =0x20026\\n\\tbkpt 0xab"); for (;;) {} }'
    )
    program = firmware(talkative, ends, firmware_cache)
    whole = RunPlan(None, None, None, (), plan_for(program).stack, max_instructions=1_000_000, timeout_s=30)
    execution = renode.run(program, talkative, whole)
    assert (execution.reason, execution.status) == (ExitReason.FINISHED, 0)
    assert execution.window_instructions[0] > 0
