"""A live board that a test changes: calls, callbacks, interrupts, devices, snapshots, resets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from live_boards import Kept, live_board
from live_firmware import shell
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.app.live.failures import BoardFailure
from mcu_harness.base.errors import EmulatorError, HarnessError

pytestmark = pytest.mark.gnu

EXTI0 = 6  # the number of that interrupt in STM32F4 (RM0090, table 62)


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shell(tmp_path_factory.mktemp("shell"))


@pytest.fixture
def board(elf: Path) -> Iterator[LiveBoard]:
    with live_board(elf) as opened:
        opened.expect(r"ms\n")
        yield opened


def infer(x: int) -> int:
    for nth in range(1000):
        x = (x * 33 + nth) & 0xFFFFFFFF
    return x


# Calls.


def test_a_function_is_called_with_arguments_in_registers_and_on_the_stack(board: LiveBoard) -> None:
    assert board.call("add", 1, 2, 3, 4, 5) == 55
    assert board.call("add", -1, 0, 0, 0, -1, returns="i32") == -6
    assert board.call("infer", 7) == infer(7)


def test_a_call_leaves_the_program_as_it_was(board: LiveBoard, elf: Path) -> None:
    before = dict(board.registers)
    time = board.cycles
    board.call("deep", 8)
    assert board.registers == before
    assert board.cycles > time
    board.send("infer\n")
    assert board.expect("done")
    assert board.read("result", "u32") == infer(1)


def test_a_call_in_the_middle_of_a_function_of_the_same_name(board: LiveBoard) -> None:
    board.send("infer\n")
    board.run_until("infer")
    assert board.call("infer", 3) == infer(3)
    board.expect("done")
    assert board.read("result", "u32") == infer(1)


def test_a_call_can_be_measured(board: LiveBoard) -> None:
    with board.measure("add") as cost:
        board.call("add", 1, 2, 3, 4, 5)
        board.call("add", 1, 2, 3, 4, 5)
    assert cost.calls == 2
    assert 2 * 5 <= cost.instructions < 2 * 15


def test_a_call_that_does_not_come_back_says_where_it_is(board: LiveBoard) -> None:
    with pytest.raises(BoardFailure) as failure:
        board.call("delay", 1000, timeout="3 ms")
    assert str(failure.value).startswith("call('delay'): it did not return within 3 ms\nthe core is in delay at 0x")


def test_calls_that_cannot_be(board: LiveBoard) -> None:
    with pytest.raises(HarnessError, match="got 'text'"):
        board.call("add", "text")  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match="4294967296"):
        board.call("add", 1 << 32)
    with pytest.raises(HarnessError, match="infer"):
        board.call("infers")
    with pytest.raises(HarnessError, match="12 B"):
        board.call("add", returns="u32[3]")
    with pytest.raises(BoardFailure, match="in crash at"):
        board.call("crash")


# Callbacks.


def test_a_spy_sees_arguments_and_changes_nothing(board: LiveBoard) -> None:
    seen: list[tuple[int, int]] = []
    hook = board.on("step", lambda x, i: seen.append((x, i)))
    board.send("infer\n")
    board.expect("done")
    assert seen[:3] == [(1, 0), (33, 1), (1090, 2)]
    assert hook.count == len(seen) == 1000
    assert board.read("result", "u32") == infer(1)
    hook.remove()
    board.send("infer\n")
    board.expect("done")
    assert hook.count == 1000


def test_what_stops_the_firmware_on_its_way_changes_no_figure(elf: Path) -> None:
    costs = []
    for callback in (False, True):
        with live_board(elf) as board:
            board.expect(r"ms\n")
            if callback:
                board.on("step", lambda: None)
            with board.measure("infer") as cost:
                board.send("infer\n")
                if callback:
                    board.run_until("infer")
                board.expect("done")
            costs.append((cost.instructions, cost.cycles, cost.calls, cost.functions["step"].calls))
    assert costs[0] == costs[1]


def test_arguments_beyond_the_fourth_come_from_the_stack(board: LiveBoard) -> None:
    seen: list[tuple[int, ...]] = []
    board.on("add", lambda a, b, c, d, e: seen.append((a, b, c, d, e)))
    board.call("add", 1, 2, 3, 4, 5)
    assert seen == [(1, 2, 3, 4, 5)]


def test_a_replaced_function_does_not_run_and_gives_the_answer(board: LiveBoard) -> None:
    board.on("infer", lambda x: x + 41, replace=True)
    with board.measure() as cost:
        board.send("infer\n")
        board.expect("done")
    assert board.read("result", "u32") == 42
    assert "step" not in cost.functions


def test_a_stub_for_a_delay_skips_its_time(board: LiveBoard) -> None:
    board.on("delay", lambda ms: board.skip(ms / 1000), replace=True)
    before = board.time_s
    with board.measure() as cost:
        board.send("delay\n")
        board.expect("done")
    assert board.time_s - before == pytest.approx(0.020, rel=0.1)
    assert cost.instructions < 1000


def test_a_callback_may_speak_look_and_change(board: LiveBoard) -> None:
    def on_infer() -> None:
        board.write("press_count", 11, "u32")
        board.send("count\n")

    board.on("infer", on_infer)
    board.send("infer\n")
    board.expect("done")
    assert board.expect(r"(\d+)\n")[1] == "11"


def test_a_callback_that_raises_ends_the_wait_with_its_own_error(board: LiveBoard) -> None:
    def broken() -> None:
        raise ValueError("a mistake")

    board.on("infer", broken)
    board.send("infer\n")
    with pytest.raises(ValueError, match="a mistake") as failure:
        board.expect("done")
    assert failure.value.__notes__ == ["raised by the callback at infer, when the firmware called it the 1. time"]


def test_callbacks_that_cannot_be(board: LiveBoard) -> None:
    with pytest.raises(HarnessError, match="inferr"):
        board.on("inferr", lambda: None)
    board.on("infer", lambda: "text", replace=True)
    board.send("infer\n")
    with pytest.raises(HarnessError, match="returned 'text'"):
        board.expect("done")
    board.on("add", lambda: board.run_for("1 ms"))
    with pytest.raises(HarnessError, match="inside of a callback"):
        board.call("add")


def test_run_until_stands_before_a_function_that_has_a_callback(board: LiveBoard) -> None:
    seen: list[int] = []
    board.on("infer", seen.append)
    board.send("infer\n")
    board.run_until("infer")
    assert seen == []
    board.expect("done")
    assert seen == [1]


# Interrupts and devices.


def test_an_interrupt_by_hand_is_taken(board: LiveBoard) -> None:
    for count in (1, 2):
        board.interrupt(EXTI0)
        assert board.read("press_count", "u32") == count - 1
        board.run_for("10 us")
        assert board.read("press_count", "u32") == count
    board.interrupt(EXTI0 + 1)  # which is not enabled
    board.run_for("1 ms")
    assert board.read("press_count", "u32") == 2
    with pytest.raises(HarnessError, match="no interrupt 240"):
        board.interrupt(240)


@dataclass
class Sensor:
    """A register that counts its reads, and one that keeps what is written."""

    written: list[tuple[int, int, int]] = field(default_factory=list)
    reads: int = 0

    def read(self, offset: int, size: int) -> int:
        self.reads += 1
        return 100 * self.reads + offset

    def write(self, offset: int, size: int, value: int) -> None:
        self.written.append((offset, size, value))


def test_a_device_in_python_answers_the_firmware(board: LiveBoard) -> None:
    sensor = Sensor()
    board.attach(0x40012000, 0x100, sensor)  # where the ADC is
    assert [board.call("peek", 0x4001204C), board.call("peek", 0x40012000)] == [100 + 0x4C, 200]
    board.call("poke", 0x40012008, 77)
    assert sensor.written == [(8, 4, 77)]
    assert board.call("peek", 0x40012100) == 0  # behind it
    with pytest.raises(EmulatorError, match="no device can be attached at 0x20000000"):
        board.attach(0x20000000, 4, sensor)


def test_a_device_that_raises_is_the_test_s_own_error(board: LiveBoard) -> None:
    class Broken(Sensor):
        def read(self, offset: int, size: int) -> int:
            raise ZeroDivisionError("a mistake")

    before = board.snapshot()
    board.attach(0x40012000, 0x100, Broken())
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        board.call("peek", 0x40012000)
    board.restore(before)  # it is not raised again
    board.send("infer\n")
    assert board.expect("done")


# Watching.


def test_who_changes_a_variable_is_found(board: LiveBoard) -> None:
    board.interrupt(EXTI0)
    change = board.run_until_changed("press_count")
    assert (change.before, change.after) == (0, 1)
    assert change.where.startswith("in EXTI0_Handler at 0x")
    assert "shell.c:" in change.where
    board.send("poke\n")
    change = board.run_until_changed("table[1]")
    assert (change.before, change.after) == (2, 77)
    assert change.where.startswith("in poke at 0x")
    assert board._firmware.program.function_at(change.by).name == "poke"
    board.expect("done")  # it goes on from there


def test_looking_for_a_change_does_not_disturb_the_program(elf: Path) -> None:
    with live_board(elf) as plain, live_board(elf) as watched:
        for board in (plain, watched):
            board.expect(r"ms\n")
            board.send("infer\n")
        with pytest.raises(BoardFailure, match="did not change within 100 us"):
            watched.run_until_changed("press_count", timeout="100 us")
        plain.run_for("100 us")
        for board in (plain, watched):
            board.expect("done")
            board.run_for("1 ms")
        assert plain.read("result") == watched.read("result") == infer(1)
        assert plain.cycles == pytest.approx(watched.cycles, abs=50)


def test_a_change_that_never_comes_says_where_the_core_is(board: LiveBoard) -> None:
    with pytest.raises(BoardFailure, match=r"run_until_changed\('press_count'\): it did not change within 2 ms"):
        board.run_until_changed("press_count", timeout="2 ms")
    with pytest.raises(HarnessError, match="press_count"):
        board.run_until_changed("pres_count")
    with pytest.raises(HarnessError, match="under way"), board.measure():
        board.run_until_changed("press_count")


# Stepping, as debuggers do.


def test_a_step_is_one_instruction_and_sleeps_no_longer_than_to_what_wakes_it(board: LiveBoard) -> None:
    machine = board._machine
    board.send("infer\n")
    board.run_until("infer")
    before = board.registers["pc"]
    with board.measure() as cost:
        for _ in range(5):
            machine.step()
    assert cost.instructions == 5
    assert board.registers["pc"] != before
    board.expect("done")
    board.run_for("100 us")
    assert machine.sleeps == "WFI"
    now = board.cycles
    machine.step()
    assert board.registers["xpsr"] & 0x1FF == 15  # in the handler of SysTick
    assert 0 < board.cycles - now <= 168_000


def test_a_step_where_nothing_wakes_the_core_stays_there(board: LiveBoard) -> None:
    board.send("sleep\n")
    board.run_for("5 ms")
    now, pc = board.cycles, board.registers["pc"]
    assert board._machine.step().reason == "the time is up"
    assert (board.cycles, board.registers["pc"]) == (now, pc)


# A timeline.


def test_a_timeline_has_every_call_and_what_was_said(board: LiveBoard, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    start = board.time_s * 1e6
    with board.timeline(path, ["infer", "step", "SysTick_Handler", "delay"]):
        board.send("infer\n")
        board.expect("done\\n")
        board.send("delay\n")
        board.expect("done\\n", timeout="100 ms")
        board.send("delay\n")
        board.run_for("1.5 ms")
    trace = json.loads(path.read_text())
    slices = [event for event in trace["traceEvents"] if event["ph"] in "BE"]
    open_: list[str] = []
    count: dict[str, int] = {}
    for before, event in zip([None, *slices], slices, strict=False):
        assert before is None or before["ts"] <= event["ts"]
        if event["ph"] == "B":
            assert event["name"] != "step" or open_[-1:] == ["infer"]
            open_.append(event["name"])
            count[event["name"]] = count.get(event["name"], 0) + 1
        else:
            assert open_.pop() == event["name"]
    assert open_ == []
    assert (count["infer"], count["step"], count["delay"]) == (1, 1000, 2)
    assert 20 <= count["SysTick_Handler"] <= 24
    delays = [event["ts"] for event in slices if event["name"] == "delay"]
    assert delays[1] - delays[0] == pytest.approx(20_000, rel=0.06)
    said = [event for event in trace["traceEvents"] if event["ph"] == "i"]
    assert [event["name"] for event in said] == ["> infer", "< done", "> delay", "< done", "> delay"]
    assert said[0]["ts"] == pytest.approx(start, abs=1)


def test_a_timeline_changes_nothing_and_is_written_when_the_test_fails(elf: Path, tmp_path: Path) -> None:
    with live_board(elf) as plain, live_board(elf) as watched:
        for board in (plain, watched):
            board.expect(r"ms\n")
            board.send("infer\n")
        plain.expect("done")
        with pytest.raises(BoardFailure, match="never"), watched.timeline(tmp_path / "t.json", ["infer"]):
            watched.expect("done")
            assert watched.cycles == pytest.approx(plain.cycles, abs=2)
            watched.expect("never", timeout="1 ms")
        assert '"infer"' in (tmp_path / "t.json").read_text()
        watched.run_for("1 ms")
        with pytest.raises(HarnessError, match="infer"), watched.timeline(tmp_path / "u.json", ["infr"]):
            pass


# Putting back.


def course(board: LiveBoard) -> list[object]:
    """What happens from here on, to the cycle."""
    seen: list[object] = []
    board.send("infer\n")
    board.expect("done")
    seen.append(board.cycles)
    board.interrupt(EXTI0)
    board.send("count\n")
    seen.append(board.expect(r"(\d+)\n")[1])
    board.run_for("3.3 ms")
    return [*seen, board.cycles, dict(board.registers), board.read("milliseconds", "u32"), board.transcript]


def test_a_restored_board_takes_the_same_course_again(board: LiveBoard) -> None:
    snapshot = board.snapshot()
    first = course(board)
    board.restore(snapshot)
    assert course(board) == first
    board.restore(snapshot)
    assert board.time_s == pytest.approx(0.005, rel=0.01)


@pytest.mark.parametrize("place", ["SysTick_Handler", "step", "delay", "main"])
def test_a_snapshot_may_be_anywhere(elf: Path, place: str) -> None:
    with live_board(elf) as board:
        if place == "step":
            board.expect("ready")
            board.send("infer\n")
        board.run_until(place)
        snapshot = board.snapshot()
        runs = []
        for _ in range(2):
            board.restore(snapshot)
            board.run_for("7 ms")
            with board.measure() as cost:
                board.run_for("2 ms")
            runs.append([board.cycles, board.console.bytes, dict(board.registers), cost.instructions, cost.cycles])
        assert runs[0] == runs[1]
        assert next(call.entry for call in board._machine.calls()) == board._firmware.first


def test_after_a_fault_a_board_can_be_put_back(board: LiveBoard) -> None:
    snapshot = board.snapshot()
    board.send("crash\n")
    with pytest.raises(BoardFailure, match="in crash"):
        board.run_for("1 ms")
    board.restore(snapshot)
    board.send("infer\n")
    assert board.expect("done")


def test_a_measurement_is_not_put_back(board: LiveBoard) -> None:
    snapshot = board.snapshot()
    with pytest.raises(HarnessError, match="under way"), board.measure():
        board.restore(snapshot)


def test_a_reset_begins_anew_while_time_goes_on(board: LiveBoard) -> None:
    before = board.cycles
    board.reset()
    assert board.cycles == before
    board.expect("ready in 5 ms")
    assert board.time_s == pytest.approx(0.010, rel=0.02)
    assert board.resets == 1


def test_firmware_resets_itself(board: LiveBoard) -> None:
    board.send("reset\n")
    board.expect("ready in 5 ms")
    assert board.resets == 1


def test_measurements_after_a_snapshot_add_up(elf: Path) -> None:
    kept = Kept()
    with live_board(elf, kept=kept) as board:
        board.expect("ready")
        snapshot = board.snapshot()
        for _ in range(3):
            board.restore(snapshot)
            with board.measure("infer"):
                board.send("infer\n")
                board.expect("done")
    assert len({(run.value("instructions"), run.value("cycles")) for run in kept.results}) == 1
