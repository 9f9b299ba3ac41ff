"""A live board in the embedded emulator: time, console, memory, measurements, and failures that explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_runs import run
from live_boards import Kept, live_board
from live_firmware import BOARD, shell
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.app.live.failures import BoardFailure
from mcu_harness.base.errors import EmulatorError, HarnessError, UnitError
from mcu_harness.hardware.board_file import find_board
from mcu_harness.results.records import Verdict
from mcu_harness.scenario.firmware_tables import DialogueStep

pytestmark = pytest.mark.gnu

CLOCK_HZ = find_board(BOARD).clock_hz
MILLISECOND = CLOCK_HZ // 1000


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shell(tmp_path_factory.mktemp("shell"))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def board(elf: Path, kept: Kept) -> Iterator[LiveBoard]:
    with live_board(elf, kept=kept) as opened:
        yield opened


# Time.


def test_time_passes_only_where_it_is_told_to(board: LiveBoard) -> None:
    assert board.cycles == 0
    board.send("infer\n")  # and is lost
    assert board.read("milliseconds", "u32") == 0
    assert board.cycles == 0
    board.run_for("2.5 ms")
    assert board.cycles == pytest.approx(2.5 * MILLISECOND, abs=20)
    assert board.time_s == board.cycles / CLOCK_HZ
    assert board.read("milliseconds", "u32") == 2


def test_the_clock_is_cycles_and_sleep_is_time_too(board: LiveBoard) -> None:
    board.expect("ready in 5 ms")  # by the firmware's own SysTick, which counts cycles
    assert board.cycles == pytest.approx(5 * MILLISECOND, rel=0.01)
    board.send("delay\n")
    before = board.cycles
    board.expect("done")
    assert board.cycles - before == pytest.approx(20 * MILLISECOND, rel=0.06)


def test_a_number_is_in_seconds(board: LiveBoard) -> None:
    board.run_for(0.001)
    assert board.cycles == pytest.approx(MILLISECOND, abs=20)


def dialogue(board: LiveBoard, slice_s: float | None = None) -> list[object]:
    seen: list[object] = [board.expect(r"ready in (\d+) ms")[1], board.cycles]
    for command in ("infer\n", "count\n", "delay\n"):
        board.send(command)
        if slice_s:
            for _ in range(round(0.03 / slice_s)):
                board.run_for(slice_s)
        else:
            board.run_for(0.03)
        seen.append(board.cycles)
    return [*seen, board.console.bytes, board.transcript, dict(board.registers)]


def test_the_same_test_sees_the_same_every_time(elf: Path) -> None:
    with live_board(elf) as one, live_board(elf) as other:
        assert dialogue(one) == dialogue(other)


def test_slices_of_time_change_nothing_but_where_it_stops(elf: Path) -> None:
    with live_board(elf) as whole, live_board(elf) as sliced:
        said = dialogue(whole), dialogue(sliced, slice_s=0.001)
        assert said[0][-3] == said[1][-3]  # the console
        assert whole.cycles == pytest.approx(sliced.cycles, abs=100 * 100)


def test_run_until_stops_before_the_place_and_goes_on_after_it(board: LiveBoard) -> None:
    board.run_until("main")
    assert board.registers["pc"] == board._firmware.address("main") & ~1
    board.expect("ready")
    board.send("infer\n")
    board.run_until("step")
    first = board.registers["r1"]
    board.run_until("step")
    assert (first, board.registers["r1"]) == (0, 1)


def test_firmware_that_can_never_wake_is_waited_for_in_no_time(board: LiveBoard) -> None:
    board.expect("ready")
    board.send("sleep\n")
    with pytest.raises(BoardFailure) as failure:
        board.expect("woken", timeout="10 s")
    assert board.time_s > 10
    assert "in WFI, and nothing can wake it" in str(failure.value)


# Console.


def test_what_was_matched_is_not_matched_again(board: LiveBoard) -> None:
    board.expect("ready")
    board.send("infer\n")
    board.expect("done")
    with pytest.raises(BoardFailure):
        board.expect("done", timeout="1 ms")
    board.send("infer\n")
    assert board.expect("done")


def test_a_match_that_can_grow_waits_for_the_rest(board: LiveBoard) -> None:
    board.expect(r"ms\n")
    board.write("press_count", 1234567, "u32")
    board.send("count\n")
    assert board.expect(r"(\d+)")[1] == "1234567"


def test_console_as_bytes_and_as_text(board: LiveBoard) -> None:
    board.expect("ready.*\n")
    board.send("bytes\n")
    board.expect(b"\xff\x00\n")
    assert board.console.bytes.endswith(b"ms\n\xff\x00\n")
    assert board.console.text.endswith("ms\n\ufffd\x00\n")


def test_text_may_be_bytes_that_are_no_utf_8(board: LiveBoard) -> None:
    board.expect("ready")
    board.send(b"\xe9t\xe9\n")
    board.expect("what is")
    board.expect(r"\?")
    board.send("infer\n")
    assert board.expect("done")


def test_the_transcript_has_both_sides_with_their_times(board: LiveBoard) -> None:
    board.expect(r"ms\n")
    board.send("infer\n")
    board.expect("done")
    lines = board.transcript.splitlines()
    assert [line.split(maxsplit=3)[2:] for line in lines] == [["<", "ready in 5 ms"], [">", "infer"], ["<", "done"]]
    assert float(lines[0].split()[0]) == pytest.approx(5, rel=0.01)


def test_expect_that_times_out_says_what_is_known(board: LiveBoard) -> None:
    board.expect(r"ms\n")
    board.send("delay\n")
    board.on("infer", lambda: None)
    board.on("delay", lambda: None)
    with pytest.raises(BoardFailure) as failure:
        board.expect("finished", timeout="10 ms")
    said = str(failure.value)
    assert "on('infer') has not been called" in said
    assert "on('delay')" not in said
    assert said.startswith("expect('finished'): it did not come within 10 ms")
    assert "the core is in delay at 0x" in said
    assert "shell.c:" in said
    assert "calls: Reset_Handler > main > delay" in said
    assert "< ready in 5 ms" in said
    assert "> delay" in said


def test_what_the_firmware_has_not_read_is_said(board: LiveBoard) -> None:
    board.run_until("delay")
    board.send("infer\n")
    with pytest.raises(BoardFailure, match=r"has not read b'infer\\n'"):
        board.expect("done", timeout="1 ms")


def test_what_was_sent_before_the_firmware_could_receive_it_is_lost_and_said_to_be(board: LiveBoard) -> None:
    board.send("infer\n")
    board.uart("usart1").send("x")
    with pytest.raises(BoardFailure) as failure:
        board.expect("done", timeout="10 ms")
    said = str(failure.value)
    assert (
        r"b'infer\n' was sent and lost: usart2 did not receive yet: the firmware had not set CR1.UE and CR1.RE" in said
    )
    assert "b'x' was sent to usart1 and lost" in said
    board.send("infer\n")
    board.expect("done", timeout="10 ms")


def test_what_is_no_snapshot_of_the_board_and_no_variable_is_one_error(board: LiveBoard, elf: Path) -> None:
    with live_board(elf) as other:
        for wrong in (None, other.snapshot()):
            with pytest.raises(HarnessError, match="that is no snapshot of this board"):
                board.restore(wrong)  # type: ignore[arg-type]
    for wrong in (None, 1.5):
        with pytest.raises(HarnessError, match=f"^{wrong} names no variable"):
            board.read(wrong)  # type: ignore[call-overload, arg-type]


def test_every_uart_is_spoken_to_by_its_name(board: LiveBoard) -> None:
    other = board.uart("usart1")
    board.expect("ready in 5 ms\n")
    booted = board.snapshot()
    for _ in range(2):
        other.send("AbC")
        assert other.expect("aBc", timeout="10 ms")[0] == "aBc"
        assert (other.console.text, board.console.pending) == ("aBc", b"")
        assert [line.split(" ms  ")[1] for line in board.transcript.splitlines()] == [
            *("usart2 < ready in 5 ms", "usart1 > AbC", "usart1 < aBc")
        ]
        with pytest.raises(BoardFailure, match=r"^usart1: expect\('more'\): it did not come within 1 ms"):
            other.expect("more", timeout="1 ms")
        board.restore(booted)
    assert other.console.text == ""
    assert board.uart("usart2").console is board.console
    with pytest.raises(HarnessError, match=r"stm32f4_discovery has no UART 'usart9'") as error:
        board.uart("usart9")
    assert "usart2" in error.value.hint


# Memory and registers.


def test_variables_are_read_and_written(board: LiveBoard) -> None:
    board.run_until("main")
    assert board.read("temperature", "i16") == -40
    assert board.read("table", "u32[4]") == [1, 2, 3, 4]
    assert board.read("settings", "char[8]") == "probe"
    board.write("table", [9, 8, 7, 6], "u32[4]")
    assert board.read_bytes("table", 4) == b"\x09\0\0\0"
    board.write("temperature", -1, "int16_t")
    assert board.read("temperature", "u16") == 0xFFFF
    assert board.read(0x08000004, "u32") == board._firmware.address("Reset_Handler") | 1


def test_registers_are_read_and_set(board: LiveBoard) -> None:
    board.expect("ready")
    board.send("infer\n")
    board.run_until("infer")
    assert board.registers["r0"] == 1
    board.set_register("r0", 2)
    board.expect("done")
    expected = 2
    for nth in range(1000):
        expected = (expected * 33 + nth) & 0xFFFFFFFF
    assert board.read("result", "u32") == expected


# Measuring.


def test_a_measured_function_has_the_figures_that_profiling_gives_it(board: LiveBoard, elf: Path, kept: Kept) -> None:
    board.expect("ready")
    with board.measure("infer", budget={"cycles": "1 M", "stack": "2 KiB"}) as cost:
        board.send("infer\n")
        board.expect("done")
    (result,) = kept.results
    assert (cost.calls, result.case_name, result.verdict) == (1, "test_it.infer", Verdict.PASS)
    assert cost.instructions == 3 + 1000 * 8  # as the compiler writes it: 1000 turns that call step
    assert cost.functions["step"].calls == 1000
    assert cost.instructions == sum(f.self_instructions for f in result.functions)
    assert "+-" in cost.cycles_origin
    assert cost.limit("cycles") == 1_000_000
    assert 40 <= (cost.stack or 0) < 200
    assert {call.name for call in result.calls} == {"Reset_Handler", "main", "infer", "step"}
    # The same call of the same image in a scenario, where caches were warm from its start.
    dialogue = (DialogueStep("", "ready"), DialogueStep("infer\n", "done"))
    profiled = run(elf, BOARD, begin="infer", dialogue=dialogue)
    assert profiled.value("instructions") == cost.instructions
    assert profiled.value("cycles") == pytest.approx(cost.cycles, rel=0.01)
    assert profiled.measurements["cycles"].origin == cost.cycles_origin


def test_a_stretch_is_everything_in_it(board: LiveBoard, kept: Kept) -> None:
    with board.measure(name="boot") as boot:
        board.expect("ready")
    with board.measure() as idle:
        board.run_for("3 ms")
    with board.measure("infer") as infer, pytest.raises(BoardFailure):
        board.send("infer\n")
        board.expect("never", timeout="2 ms")
    assert [result.case_name for result in kept.results] == ["test_it.boot", "test_it.stretch", "test_it.infer"]
    assert boot.functions["SysTick_Handler"].calls == 5
    assert idle.functions["SysTick_Handler"].calls == 3
    assert idle.instructions < 200
    assert infer.calls == 1
    assert "infer" not in idle.functions


def test_instructions_of_stretches_add_up_to_those_of_the_whole(elf: Path) -> None:
    kept = Kept()
    with live_board(elf, kept=kept) as board:
        for _ in range(3):
            with board.measure():
                board.run_for("2 ms")
    with live_board(elf, kept=kept) as board, board.measure():
        for _ in range(3):
            board.run_for("2 ms")
    *parts, whole = [result.value("instructions") for result in kept.results]
    assert sum(parts) == whole


def test_a_budget_that_is_exceeded_fails_as_in_a_scenario(board: LiveBoard, kept: Kept) -> None:
    board.expect("ready")
    with pytest.raises(BoardFailure) as failure, board.measure("infer", budget={"cycles": 5_000}) as cost:
        board.send("infer\n")
        board.expect("done")
    assert "over the budget of 5,000" in str(failure.value)
    assert "[budget.cycles]" in str(failure.value)
    assert "step" in str(failure.value)
    assert cost.cycles > cost.limit("cycles")
    assert kept.results[0].verdict is Verdict.FAIL


def test_stack_is_that_of_the_stretch(board: LiveBoard) -> None:
    board.expect("ready")
    with board.measure("deep") as deep:
        board.send("deep\n")
        board.expect("done")
    with board.measure("infer") as infer:
        board.send("infer\n")
        board.expect("done")
    assert deep.stack > 9 * 64 > infer.stack
    assert deep.calls == 9


def test_a_function_that_never_ran_keeps_no_budget(board: LiveBoard, kept: Kept) -> None:
    never = pytest.raises(BoardFailure, match="infer was not called while it was measured")
    with never, board.measure("infer", budget={"cycles": 5_000}):
        board.expect("ready")
    assert next(finding.code for finding in kept.results[0].findings) == "measure.never-called"


def test_a_test_that_fails_inside_of_a_measurement_makes_no_row(board: LiveBoard, kept: Kept) -> None:
    with pytest.raises(ZeroDivisionError), board.measure("infer"):
        board.run_for(1 / 0)
    with board.measure():
        board.run_for("1 ms")
    assert len(kept.results) == 1


def test_the_clock_agrees_with_what_the_run_is_priced_at(board: LiveBoard) -> None:
    board.expect("ready")
    board.send("infer\n")
    board.run_until("infer")
    before = board.cycles
    with board.measure("infer") as cost:
        board.expect("done")
    assert board.cycles - before == pytest.approx(cost.cycles, rel=0.1)


# What goes wrong.


def test_a_fault_is_explained_as_elsewhere(board: LiveBoard) -> None:
    board.expect("ready")
    board.send("crash\n")
    with pytest.raises(BoardFailure) as failure:
        board.run_for("5 ms")
    said = str(failure.value)
    assert "[fault." in said
    assert "0x60000000" in said
    assert "in crash at 0x" in said
    assert "shell.c:" in said
    assert "calls: Reset_Handler > main > crash" in said
    assert "> crash" in said
    with pytest.raises(BoardFailure, match="in crash"):  # it does not go on from there
        board.expect("done")


def test_names_that_are_not_there_have_near_ones(board: LiveBoard) -> None:
    with pytest.raises(HarnessError, match="press_count"):
        board.read("pres_count", "u32")
    with pytest.raises(HarnessError, match="infer"), board.measure("infr"):
        pass
    with pytest.raises(HarnessError, match="milliseconds"):
        board.run_until("milisecond")
    with pytest.raises(HarnessError, match="no function"), board.measure("press_count"):
        pass
    with pytest.raises(HarnessError, match="uint16_t"):
        board.read("press_count", "uint16")
    with pytest.raises(HarnessError, match="cycles"), board.measure("infer", budget={"cycle": 1}):
        pass


def test_values_units_and_patterns_that_cannot_be(board: LiveBoard) -> None:
    with pytest.raises(HarnessError, match="256"):
        board.write("press_count", 256, "u8")
    with pytest.raises(HarnessError, match="text of at most 4 B"):
        board.write("press_count", "longer", "char[4]")
    with pytest.raises(UnitError, match="5 lightyears"):
        board.run_for("5 lightyears")
    with pytest.raises(HarnessError, match="does not go back"):
        board.run_for(-1)
    with pytest.raises(HarnessError, match="no regular expression"):
        board.expect("(")
    with pytest.raises(EmulatorError, match="no memory at 0x60000000"):
        board.read(0x60000000, "u32")
    with pytest.raises(HarnessError, match="no register"):
        board.set_register("r13x", 1)


def test_figures_are_there_after_the_block_only(board: LiveBoard) -> None:
    with board.measure() as cost:
        board.run_for("1 ms")
        with pytest.raises(HarnessError, match="has not ended"):
            _ = cost.cycles
        with pytest.raises(HarnessError, match="under way"), board.measure():
            pass
    assert cost.cycles
    with pytest.raises(HarnessError, match="no budget 'cycles'"):
        cost.limit("cycles")


def test_a_closed_board_says_so(elf: Path) -> None:
    with live_board(elf) as board:
        pass
    board.close()
    with pytest.raises(EmulatorError, match="closed"):
        board.run_for("1 ms")
