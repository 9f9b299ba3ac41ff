"""A live board in Renode and in the embedded emulator: the firmware of docs/examples behaves the same, and costs the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from live_boards import Kept, live_board
from live_firmware import shell
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.base.errors import EmulatorError, HarnessError
from mcu_harness.emulator.kept import KeptEmulators
from mcu_harness.emulator.live import StopReason
from mcu_harness.emulator.renode import live_link, live_trace
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.results.records import RunResult

pytestmark = [pytest.mark.gnu, pytest.mark.renode, pytest.mark.usefixtures("renode_install")]

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "live-board"
BOARD = "stm32f4_discovery"
ADC1, EXTI0 = 0x40012000, 6


class Sensor:
    """ADC1 with a value in its data register."""

    raw = 1500

    def read(self, offset: int, size: int) -> int:
        return self.raw if offset == 0x4C else 0

    def write(self, offset: int, size: int, value: int) -> None:
        pass


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thermostat")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    subprocess.run(["./build.sh"], cwd=folder, check=True, timeout=120)
    return folder / "app.elf"


@pytest.fixture(scope="module")
def emulators() -> Iterator[KeptEmulators]:
    kept = KeptEmulators()
    yield kept
    kept.close()


@pytest.fixture
def board(elf: Path, emulators: KeptEmulators) -> Iterator[LiveBoard]:
    """The thermostat in Renode, when it has said that it is ready."""
    with live_board(elf, BOARD, None, emulators, "renode") as opened:
        opened.expect(r"ready in (\d+) ms\n", timeout="50 ms")
        yield opened


def story(board: LiveBoard) -> list[object]:
    """What a test of the thermostat sees, from its button to its sensor."""
    seen: list[object] = [board.expect(r"ready in (\d+) ms\n", timeout="50 ms").groups()]
    for _ in range(3):
        board.interrupt(EXTI0)
        board.run_for("10 us")
    board.send("p")
    seen += [board.expect(r"(\d+)\n").groups(), board.read("press_count")]
    sensor = Sensor()
    board.attach(ADC1, 0x100, sensor)
    with board.measure("sample", budget={"stack": "256 B"}):
        for raw in (1500, 1400, 1400):
            sensor.raw = raw
            board.send("s")
            seen.append(board.expect(r"(heating|off) at (-?\d+)\n").groups())
    board.send("s")
    board.run_until("filter")
    seen += [board.registers["r1"], board.read("state"), board.time_s == pytest.approx(0.005, abs=1e-4)]
    board.run_until("print")
    seen += [board.call("temperature", 2048, returns="i16"), board.address("state.mode")]
    board.write("state.target", -400)
    hook = board.on("delay", lambda ms: board.skip(ms / 1000), replace=True)
    before = board.time_s
    board.send("w")
    board.expect("waited", timeout="2 s")
    seen += [hook.count, board.time_s - before == pytest.approx(1, rel=0.01), board.read("state.target")]
    board.reset()
    board.expect("ready in 3 ms\n")
    return [*seen, board.resets, said(board)]


def said(board: LiveBoard) -> list[str]:
    """The transcript, without its times."""
    return [line.partition("ms  ")[2] for line in board.transcript.splitlines()]


def told(elf: Path, emulators: KeptEmulators, emulator: str) -> tuple[list[object], RunResult]:
    kept = Kept()
    with live_board(elf, BOARD, kept, emulators, emulator) as board:
        return story(board), kept.results[0]


def test_behaviour_and_costs_are_those_of_the_embedded_emulator(elf: Path, emulators: KeptEmulators) -> None:
    here, there = told(elf, emulators, "unicorn"), told(elf, emulators, "renode")
    assert there[0] == here[0]
    assert "< off at 204" in str(here[0])
    for figure in ("instructions", "cycles", "stack_hwm_bytes"):
        assert there[1].value(figure) == here[1].value(figure)
    assert there[1].functions == here[1].functions
    assert (here[1].emulator.name, there[1].emulator.name) == ("unicorn", "renode")


def test_what_never_comes_is_explained(board: LiveBoard) -> None:
    with pytest.raises(AssertionError) as caught:
        board.run_until("filter", timeout="2 ms")
    text = str(caught.value)
    assert "run_until('filter'): it was not reached within 2 ms" in text
    assert "the core is in main at 0x" in text
    assert ", in WFI" in text
    assert "calls: reset > main" in text
    assert "< ready in 3 ms" in text


def test_the_monitor_answers_and_refuses(board: LiveBoard) -> None:
    assert "usart2" in board.monitor("peripherals")
    with pytest.raises(HarnessError, match="No such command or device: nonsense"):
        board.monitor("nonsense")
    with pytest.raises(HarnessError, match="no memory at 0x12345678"):
        board.read(0x12345678, "u32")
    for command in ("start", "emulation RunFor '0.001'"):
        with pytest.raises(HarnessError, match="lets time pass"):
            board.monitor(command)
    board.run_for("1 ms")
    board.monitor("sysbus WriteDoubleWord 0x20000100 42")
    assert board.read(0x20000100, "u32") == 42


def test_a_fault_is_explained_and_what_a_device_raises_is_raised(board: LiveBoard) -> None:
    class Broken(Sensor):
        def read(self, offset: int, size: int) -> int:
            raise ValueError("no sensor")

    board.attach(ADC1, 0x100, Broken())
    board.send("s")
    with pytest.raises(ValueError, match="no sensor"):
        board.expect("heating")
    board.set_register("pc", 0x30000000)
    with pytest.raises(AssertionError, match="0x30000000"):
        board.run_for("1 ms")
    with pytest.raises(AssertionError, match="0x30000000"):
        board.run_for("1 ms")


def test_what_renode_cannot_do_names_the_way_out(board: LiveBoard) -> None:
    with pytest.raises(EmulatorError, match="snapshot") as caught:
        board.snapshot()
    assert "unicorn" in caught.value.hint


def test_a_step_is_an_instruction(board: LiveBoard) -> None:
    board.send("s")
    board.run_until("filter")
    server = board.gdb_server()
    server.close()
    machine = server._machine
    places = []
    for _ in range(3):
        assert machine.step().reason is StopReason.PLACE
        places.append(machine.pc)
    assert all(
        0 < after - before <= 4 for before, after in zip([board.address("filter"), *places], places, strict=False)
    )
    board.expect("heating at -400\n")


def test_other_uarts_have_their_names(emulators: KeptEmulators, tmp_path: Path) -> None:
    with live_board(shell(tmp_path), BOARD, None, emulators, "renode") as board:
        board.expect("ready in 5 ms")
        other = board.uart("usart1")
        other.send("AbC")
        assert other.expect("aBc", timeout="10 ms")[0] == "aBc"
        assert said(board)[1:] == ["usart1 > AbC", "usart1 < aBc"]
        assert board.uart("usart2").console is board.console


def test_who_changes_a_variable_is_known(board: LiveBoard) -> None:
    board.send("s")
    change = board.run_until_changed("state.samples", timeout="2 ms")
    assert (change.before, change.after) == (0, 1)
    assert change.where.startswith("in sample at 0x")
    board.expect("heating at -400\n")
    with pytest.raises(AssertionError, match="it did not change within 2 ms"):
        board.run_until_changed("state.samples", timeout="2 ms")


def test_a_long_measurement_is_traced_in_part(board: LiveBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    def cycles() -> float:
        with board.measure("sample") as cost:
            for _ in range(6):
                board.send("s")
                board.expect(r"at (-?\d+)\n")
        assert cost.cycles is not None
        return cost.cycles

    for _ in range(8):  # until the history is full, and each sample takes the same way
        board.send("s")
        board.expect(r"at (-?\d+)\n")
    whole = cycles()
    monkeypatch.setattr(live_trace, "_ENOUGH", 500)
    assert cycles() == pytest.approx(whole, rel=0.05)


def test_a_renode_that_hangs_is_told_and_ended(
    board: LiveBoard, emulators: KeptEmulators, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pid,) = cast(RenodeEmulator, emulators.get("renode")).pids
    monkeypatch.setattr(live_link, "_ANSWER_S", 2.0)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EmulatorError, match="it does not answer any more"):
        board.run_for("1 ms")
    board.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
