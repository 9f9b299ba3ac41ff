"""Published cycles on silicon: the data, the statistics, and what the command says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.app.cli.commands.validate import text
from mcu_harness.app.cli.main import main
from mcu_harness.app.cycle_validation import (
    Comparison,
    ValidationError,
    geometric_mean,
    ground_truths,
    holds,
    mean_error,
    worst_error,
)

OVER, UNDER = Comparison("over", 102.0, 100.0), Comparison("under", 96.0, 100.0)


def test_published_figures_are_cycles_of_the_board_that_was_measured() -> None:
    (embench,) = (truth for truth in ground_truths() if truth.name == "embench_m4")
    assert len(embench.cycles) == 19
    assert dict(embench.cycles)["crc32"] == 4006 * 16_000  # milliseconds at 16 MHz
    assert embench.board.core.name == "cortex-m4"
    assert all(memory.wait_states == 0 for memory in embench.board.memories)
    assert "baseline-data/speed.json" in embench.source


def test_errors_are_relative_to_silicon() -> None:
    assert OVER.error == pytest.approx(0.02)
    assert mean_error([OVER, UNDER]) == pytest.approx(0.03)
    assert worst_error([OVER, UNDER]) == pytest.approx(0.04)
    assert geometric_mean([Comparison("a", 200, 100), Comparison("b", 50, 100)]) == pytest.approx(1)


def test_a_model_holds_while_mean_and_worst_error_do() -> None:
    truth = ground_truths()[0]
    assert holds(truth, [OVER, OVER, UNDER])
    assert not holds(truth, [OVER, Comparison("far", 111, 100)])
    assert not holds(truth, [Comparison("all", 104, 100)])
    assert "holds" in text(truth, [OVER]) and "DOES NOT HOLD" in text(truth, [Comparison("far", 150, 100)])


def test_a_directory_without_programs_is_an_error_that_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate-cycles", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "crc32.elf" in said and "Traceback" not in said


def test_a_misspelt_key_is_an_error_with_its_line(tmp_path: Path) -> None:
    good = (
        'board = "stm32f4_discovery"\nclock = "16 MHz"\nmean_error_percent = 1\nworst_error_percent = 2\nsource = "x"\n'
    )
    (tmp_path / "x.toml").write_text(f"{good}wait_state = 0\n[milliseconds]\na = 1\n")
    with pytest.raises(ValidationError, match=r"x.toml:6.*wait_state"):
        ground_truths(tmp_path)
    (tmp_path / "x.toml").write_text(f"{good}[memory.flush]\nfetch = '8 B'\n[milliseconds]\na = 1\n")
    with pytest.raises(ValidationError, match="no such memory") as raised:
        ground_truths(tmp_path)
    assert "flash" in str(raised.value)


def test_images_are_measured_as_they_set_their_board_up(tmp_path: Path) -> None:
    (single_bank,) = (truth for truth in ground_truths() if truth.name == "mlperf_tiny_st_l4r5zi")
    assert single_bank.by_console and single_bank.board.memory("flash").fetch_bytes == 16
    assert dict(single_bank.cycles)["NUCLEO_L4R5ZI/kws"] == pytest.approx(120e6 / 23.155)
    assert single_bank.file_of("NUCLEO_L4R5ZI/kws", tmp_path) is None
    (tmp_path / "NUCLEO_L4R5ZI" / "kws").mkdir(parents=True)
    image = tmp_path / "NUCLEO_L4R5ZI" / "kws" / "some-Performance.bin"
    image.write_bytes(b"x")
    assert single_bank.file_of("NUCLEO_L4R5ZI/kws", tmp_path) == image
    (image.parent / "another.bin").write_bytes(b"x")
    assert single_bank.file_of("NUCLEO_L4R5ZI/kws", tmp_path) is None, "which of the two is meant is not guessed"


def test_what_is_no_firmware_is_an_error_that_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = tmp_path / "NUCLEO_L4R5ZI" / "kws.bin"
    image.parent.mkdir()
    image.write_bytes(bytes(64))
    assert main(["validate-cycles", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "kws.bin" in said and "Traceback" not in said
