"""Ready models of pins and converters on live boards, worked by firmware as the makers' libraries work them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from live_boards import live_board
from live_firmware import shell
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.app.live.failures import BoardFailure
from mcu_harness.base.errors import HarnessError
from peripheral_firmware import CHIPS, Chip, button_firmware

pytestmark = pytest.mark.gnu


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.board)
def test_a_button_interrupts_a_led_follows_and_samples_are_what_was_set(tmp_path: Path, chip: Chip) -> None:
    with live_board(button_firmware(tmp_path, chip), chip.board) as board:
        button, led = board.pin(chip.button), board.pin(chip.led)
        board.run_for("20 us")
        assert (button.mode, led.mode) == ("input", "output")
        assert (button.read(), led.read(), board.read("input")) == (1, 1, 1)  # it is pulled up
        for press in (1, 2):
            button.set(0)
            led.expect(0, timeout="100 us")
            assert board.read("presses") == press
            button.release()
            led.expect(1, timeout="100 us")
            assert board.read("presses") == press
        assert [edge.level for edge in led.edges] == [1, 0, 1, 0, 1]
        assert [edge.time_s for edge in led.edges] == sorted(edge.time_s for edge in led.edges)
        board.adc(chip.adc).set(3, 1234)
        board.adc(chip.adc).set(1, lambda: 77)
        assert board.call("adc_read", 3) == 1234 | (77 << 16 if chip.two_samples else 0)


@pytest.fixture(scope="module")
def button(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (chip,) = (chip for chip in CHIPS if chip.board == "stm32f4_discovery")
    return button_firmware(tmp_path_factory.mktemp("button"), chip)


@pytest.fixture
def board(button: Path) -> Iterator[LiveBoard]:
    with live_board(button, "stm32f4_discovery") as opened:
        yield opened


def test_pins_are_part_of_a_snapshot_and_what_is_driven_outlasts_a_reset(board: LiveBoard) -> None:
    button, led = board.pin("PC13"), board.pin("PA5")
    led.expect(1)
    before = board.snapshot()
    button.set(0)
    led.expect(0)
    assert (board.read("presses"), len(led.edges)) == (1, 2)
    board.restore(before)
    assert (button.read(), led.read(), len(led.edges)) == (1, 1, 1)
    board.run_for("20 us")
    assert board.read("presses") == 0
    button.set(0)
    led.expect(0)
    button.release()
    led.expect(1)
    button.set(0)
    board.reset()
    assert (button.read(), led.read(), led.mode) == (0, 0, "input")
    board.run_for("50 us")
    assert led.read() == 0


def test_a_level_that_never_comes_is_a_failure_with_the_place(board: LiveBoard) -> None:
    board.pin("PA5").expect(1)
    with pytest.raises(BoardFailure) as failure:
        board.pin("PA5").expect(0, timeout="1 ms")
    assert str(failure.value).startswith("pin PA5: expect(0): it was still 1 after 1 ms, as output")
    assert "the core is in main" in str(failure.value)


def test_wrong_names_levels_and_uses_are_one_clear_error(board: LiveBoard, tmp_path: Path) -> None:
    for name in ("PZ1", "PA16", "PA", "A5", ""):
        with pytest.raises(HarnessError, match="stm32f4_discovery has no pin") as error:
            board.pin(name)
        assert "PA0 to PA15" in error.value.hint
    with pytest.raises(HarnessError, match="has no ADC 'adc9'") as error:
        board.adc("adc9")
    assert "adc1" in error.value.hint
    with pytest.raises(HarnessError, match="a level is 0 or 1, got 2"):
        board.pin("PA0").set(2)
    with live_board(shell(tmp_path, flash=0), "efm32gg_stk3700") as other:
        with pytest.raises(HarnessError, match="no model of a pin of the EFM32GG990F1024 is there") as error:
            other.pin("PA0")
        with pytest.raises(HarnessError, match="no model of an ADC of the EFM32GG990F1024 is there"):
            other.adc("adc0")
    assert "`attach`" in error.value.hint
