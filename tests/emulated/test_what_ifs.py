"""What-ifs of emulated runs equal runs on boards that really are like that."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_runs import SQUARES
from mcu_harness.app.cli.main import main
from mcu_harness.app.options import Options
from mcu_harness.app.pipeline import run_case
from mcu_harness.app.session import Session
from mcu_harness.base.errors import ScenarioError
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program
from mcu_harness.results import results_file as results_json
from mcu_harness.results.records import RunResult, WhatIf
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec, Region
from mcu_harness.scenario.scenario import InputSpec, load_scenario, scenario_for_firmware, scenario_for_model
from user_firmware import build

pytestmark = pytest.mark.gnu
MODEL = Path(__file__).parent.parent.parent / "scenarios/models/digits.tflite"

# Two regions that share nothing: each has a function that calls another, and a table of constants.
TWO_REGIONS = """
const int left_table[64] = {1, 2, 3, 4}, right_table[64] = {5, 6, 7, 8};
volatile int total;
__attribute__((noinline)) int left_step(int i) { return left_table[i & 63] * 3; }
__attribute__((noinline)) int right_step(int i) { return right_table[i & 63] * 5; }
__attribute__((noinline)) int left(int n) { int s = 0; for (int i = 0; i < n; i++) s += left_step(i); return s; }
__attribute__((noinline)) int right(int n) { int s = 0; for (int i = 0; i < n; i++) s += right_step(i); return s; }
int main(void) { total = left(500); total += right(300); return 0; }
"""
REGIONS = (Region("left", ("left",)), Region("right", ("right",)))


def case_of(model: Path, board: str, inputs: InputSpec) -> Case:
    return cases_of(replace(scenario_for_model(model, (board,)), inputs=inputs))[0]


def copy_of(board: Board, folder: Path, *changes: tuple[str, str]) -> Path:
    """A board file like that of `board`, with texts of it replaced, each once."""
    text = board.path.read_text()
    for before, after in changes:
        text, times = re.subn(before, after, text, count=1)
        assert times == 1, before
    path = folder / str(len(list(folder.iterdir()))) / f"{board.name}.toml"  # files are read once for each path
    path.parent.mkdir()
    path.write_text(text)
    return path


def run_model(board: str, *asked: str) -> RunResult:
    session = Session()
    try:
        case = case_of(MODEL, board, InputSpec(seed=1, count=2))
        return session.run(case, Options(emulator="unicorn", what_if=asked), gated=False)
    finally:
        session.close()


def run_firmware(image: Path, board: str, *asked: str) -> RunResult:
    spec = FirmwareSpec(image=str(image), begin="main", regions=REGIONS)
    session = Session()
    try:
        (case,) = cases_of(scenario_for_firmware(image, (board,), spec))
        return session.run(case, Options(emulator="unicorn", what_if=asked), gated=False)
    finally:
        session.close()


def layers(result: RunResult) -> list[float]:
    return [layer.cycles or 0 for layer in result.layers]


def by_layer(answer: WhatIf) -> list[float]:
    return [cycles or 0 for cycles in answer.layer_cycles]


@pytest.mark.parametrize(
    "name",
    ["nucleo_l4r5zi", "nucleo_f103rb", "nucleo_g071rb", "stm32f746g_disco", "nucleo_l552ze_q", "stm32f072b_disco"],
)
@pytest.mark.parametrize("waits", [1, 7])
def test_other_wait_states_are_those_of_a_board_that_has_them(name: str, waits: int, tmp_path: Path) -> None:
    board = find_board(name)
    flash = board.memory("flash")
    reads = max(1, (flash.cache_line_bytes or flash.fetch_bytes) // flash.fetch_bytes)
    changes = [(r"wait_states = \d+", f"wait_states = {waits}")]
    for key, cycles in (("code_miss_cycles", flash.code_miss_cycles), ("data_miss_cycles", flash.data_miss_cycles)):
        if cycles is not None:  # measured at the board's own wait states
            changes.append((rf"{key} = .*", f"{key} = {max(0, cycles + reads * (waits - flash.wait_states))!r}"))
    real = run_model(str(copy_of(board, tmp_path, *changes)))
    result = run_model(name, f"flash_wait_states={waits}")
    (answer,) = result.what_ifs
    assert answer.cycles == pytest.approx(real.value("cycles"), rel=1e-9)
    assert by_layer(answer) == pytest.approx(layers(real), rel=1e-9)
    plain = run_model(name)
    assert plain == replace(result, what_ifs=()), "the run itself is the same with questions and without"
    if waits != flash.wait_states:
        assert answer.cycles != plain.value("cycles")


def test_another_cache_is_that_of_a_board_that_has_it(tmp_path: Path) -> None:
    result = run_model("nucleo_l4r5zi", "flash_data_cache_size=1KiB", "flash_cache_size=256B")
    board = find_board("nucleo_l4r5zi")
    data = run_model(str(copy_of(board, tmp_path, ('data_cache_size = "256 B"', 'data_cache_size = "1 KiB"'))))
    code = run_model(str(copy_of(board, tmp_path, ('\ncache_size = "1 KiB"', '\ncache_size = "256 B"'))))
    assert [answer.cycles for answer in result.what_ifs] == [data.value("cycles"), code.value("cycles")]
    assert data.value("cycles") < result.value("cycles") < code.value("cycles")  # type: ignore[operator]


def test_another_clock_changes_times_and_no_cycles() -> None:
    result = run_model("nucleo_l4r5zi", "clock=60MHz")
    (answer,) = result.what_ifs
    assert answer.cycles == result.value("cycles") and by_layer(answer) == layers(result)
    assert answer.latency_s == pytest.approx(2 * result.value("latency_s"))  # type: ignore[operator]
    assert answer.energy_j == result.value("energy_j")
    assert "wait states that the memories have at 120 MHz" in answer.origin


@pytest.fixture
def two_regions(tmp_path: Path) -> tuple[Path, str]:
    """The firmware, and a board without caches on which every wait is one that can be counted."""
    image = build(tmp_path, TWO_REGIONS)
    board = tmp_path / "plain_m4.toml"
    memories = "".join(
        f'[[memory]]\nname = "{name}"\nkind = "{kind}"\norigin = {origin}\nsize = "{size}"\nwait_states = {waits}\nfetch = "4 B"\n\n'
        for name, kind, origin, size, waits in (
            ("flash", "flash", "0x08000000", "256 KiB", 4),
            ("sram", "ram", "0x20000000", "64 KiB", 0),
            ("itcm", "ram", "0x00000000", "1 KiB", 0),
        )
    )
    board.write_text(
        'name = "plain_m4"\ntitle = "Plain"\nvendor = "nobody"\npart = "none"\n\n'
        '[core]\nname = "cortex-m4"\n\n[clock]\nfrequency = "16 MHz"\n\n' + memories + "[layout]\n"
        'code = "flash"\ndata = "sram"\n\n[console]\ndriver = "none"\nbase = 0x40004400\n\n[sources]\n'
        + "".join(f'{key} = "made up"\n' for key in ("core", "clock", "memory", "wait_states", "current", "console"))
    )
    return image, str(board)


def test_code_and_data_of_a_region_wait_no_more_where_they_are_moved_to(two_regions: tuple[Path, str]) -> None:
    image, board = two_regions
    result = run_firmware(
        image, board, "itcm=left", "sram=left_table", "itcm=left,sram=left_table", "flash_wait_states=0"
    )
    base = layers(result)
    code, data, both, nothing_waits = map(by_layer, result.what_ifs)
    assert {answer[1] for answer in (code, data, both)} == {base[1]}, "nothing else changes"
    assert both[0] == nothing_waits[0], "all that the region waited for is moved"
    assert base[0] - data[0] == 500 * 4, "one load in each of its turns, of 4 wait states"
    assert (base[0] - code[0]) + (base[0] - data[0]) == base[0] - both[0]
    assert code[0] < base[0]


def test_moved_firmware_must_fit(two_regions: tuple[Path, str]) -> None:
    image, board = two_regions
    with pytest.raises(ScenarioError, match="do not fit into itcm"):
        run_firmware(image, board, "itcm=0x08000000-0x08000800")
    with pytest.raises(ScenarioError, match="which constants are its own is not known"):
        run_firmware(image, board, "sram=left")


def test_weights_of_a_layer_in_ram_change_that_layer_only() -> None:
    result = run_model("nucleo_f103rb", "sram=layer_00", "flash_wait_states=0")
    moved, nothing_waits = map(by_layer, result.what_ifs)
    base = layers(result)
    assert moved[1:] == base[1:]
    assert nothing_waits[0] < moved[0] < base[0]


def test_a_scenario_asks_for_all_of_its_boards(tmp_path: Path) -> None:
    (tmp_path / "asks.toml").write_text(
        f'model = "{MODEL.as_posix()}"\nboards = ["nucleo_f103rb", "nucleo_g071rb"]\nwhat_if = ["clock=8MHz"]\n'
        "[inputs]\ncount = 1\n"
    )
    session = Session()
    try:
        for case in cases_of(load_scenario(tmp_path / "asks.toml")):
            result = session.run(case, Options(emulator="unicorn", what_if=("flash_wait_states=0",)), gated=False)
            assert [answer.name for answer in result.what_ifs] == ["clock=8MHz", "flash_wait_states=0"]
            assert result.what_ifs[0].clock_hz == 8_000_000
            assert result.what_ifs[1].cycles < result.value("cycles")  # type: ignore[operator]
    finally:
        session.close()


class CannotTrace(UnicornEmulator):
    """An emulator like the embedded one, by another name and without memory traces."""

    name = "other"

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        return super().run(program, board, replace(plan, trace=None))


def test_the_answers_are_the_same_where_another_emulator_runs_the_case() -> None:
    case = case_of(MODEL, "nucleo_f103rb", InputSpec(seed=1, count=1))
    questions = ("flash_wait_states=1", "sram=layer_00", "flash_cache=none")
    one, other = (run_case(case, emulator, "auto", print, questions) for emulator in (UnicornEmulator(), CannotTrace()))
    assert one.what_ifs == other.what_ifs
    assert one.value("cycles") == other.value("cycles")


def test_the_command_shows_and_keeps_the_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = build(tmp_path, SQUARES)
    kept = tmp_path / "results.json"
    command = ["profile", str(image), "--board", "stm32f4_discovery", "--emulator", "unicorn", "--begin", "main"]
    assert main([*command, "--what-if", "flash_wait_states=2", "--what-if", "clock=84MHz", "--json", str(kept)]) == 0
    out = capsys.readouterr().out
    assert "flash: 5 -> 2 wait states" in out and "84 MHz" in out
    answers = results_json.load(kept).runs[0].what_ifs
    assert [answer.name for answer in answers] == ["flash_wait_states=2", "clock=84MHz"]
    assert main([*command, "--what-if", "flash_waits=2"]) == 2
    assert "did you mean" in capsys.readouterr().err
