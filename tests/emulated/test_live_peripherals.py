"""Ready models of pins and converters on live boards, worked by firmware as the makers' libraries work them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus_firmware import MASTERS, Master, master_firmware
from live_boards import live_board
from live_firmware import shell
from mcu_harness import I2cRegisters
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


class Flash:
    """A serial flash that answers 9F with its identification, and notes when it is selected."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.selections: list[bool] = []

    def select(self, active: bool) -> None:
        self.selections.append(active)
        self.frames = [] if active else self.frames

    def exchange(self, frame: int) -> int:
        self.frames.append(frame)
        identification = (0xFF, 0xEF, 0x40, 0x18)
        return identification[len(self.frames) - 1] if self.frames[0] == 0x9F and len(self.frames) <= 4 else 0xFF


@pytest.mark.parametrize("master", MASTERS, ids=lambda master: master.board)
def test_sensors_on_i2c_and_a_flash_on_spi_answer_as_attached(tmp_path: Path, master: Master) -> None:
    with live_board(master_firmware(tmp_path, master), master.board) as board:
        board.run_for("20 us")
        assert board.call("spi_id", timeout="100 us") == 0xFFFFFF  # nobody is there
        flash = Flash()
        board.spi(master.spi).attach(flash, select=master.select)
        assert board.call("spi_id", timeout="100 us") == 0xEF4018
        assert (flash.frames, flash.selections) == ([0x9F, 0, 0, 0], [True, False])

        assert board.call("read_registers", 0x48, 0x0F, 1, timeout="100 us") == 0xBAD
        sensor = I2cRegisters({0x0F: 0xB3, 0x10: 0x22, 0x11: 0x11})
        board.i2c(master.i2c).attach(0x48, sensor)
        assert [board.call("read_registers", 0x48, 0x0F, count, timeout="100 us") for count in (1, 2, 3)] == [
            0xB3,
            0x22B3,
            0x1122B3,
        ]
        assert board.call("write_register", 0x48, 0x20, 0x57, timeout="100 us") == 0
        assert sensor.registers[0x20] == 0x57
        assert sensor.written == [b"\x0f", b"\x0f", b"\x0f", b"\x20\x57"]
        assert board.call("write_register", 0x49, 0x20, 0x57, timeout="100 us") == 0xBAD
        assert board.call("read_registers", 0x48, 0x20, 1, timeout="100 us") == 0x57


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
        board.pin("PA5").expect(0, timeout="100 us")
    assert str(failure.value).startswith("pin PA5: expect(0): it was still 1 after 100 us, as output")
    assert "the core is in main" in str(failure.value)


def test_what_is_no_device_is_said_when_it_is_attached(board: LiveBoard) -> None:
    with pytest.raises(HarnessError, match="an address on I2C has 7 bits, got 0x90"):
        board.i2c("i2c1").attach(0x90, I2cRegisters())
    with pytest.raises(HarnessError, match="dict has no method 'write'"):
        board.i2c("i2c1").attach(0x48, {})  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match="has no pin 'PX4'"):
        board.spi("spi1").attach(Flash(), select="PX4")
    for name, bus in (("I2C", board.i2c), ("SPI", board.spi)):
        with pytest.raises(HarnessError, match=f"stm32f4_discovery has no {name} 'twim0'"):
            bus("twim0")


def test_what_is_of_a_wrong_kind_is_one_error_where_it_is_given(board: LiveBoard) -> None:
    for wrong, said in (
        (lambda: board.send(5), r"send\(5\): text or bytes"),  # type: ignore[arg-type]
        (lambda: board.expect(None), r"expect\(None\): no regular expression"),  # type: ignore[arg-type]
        (lambda: board.expect("x", timeout=None), "None is no time"),  # type: ignore[arg-type]
        (lambda: board.pin(13), "a pin has a name, got 13"),  # type: ignore[arg-type]
        (lambda: board.adc("adc1").set(0, "x"), "a sample of channel 0 is a whole number, got 'x'"),  # type: ignore[arg-type]
    ):
        with pytest.raises(HarnessError, match=said):
            wrong()
    assert board.transcript == ""
    board.pin("PA5").expect(1)
    board.adc("adc1").set(3, lambda: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(HarnessError, match="the function for channel 3 gave None"):
        board.call("adc_read", 3, timeout="100 us")


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
