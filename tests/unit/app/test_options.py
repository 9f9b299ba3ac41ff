"""One table of options serves pytest, ini and the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import _COMMANDS, _Row, command_parser, main
from mcu_harness.app.options import BUILD, FIT, OPTIONS, PROFILE, RUN, SEARCH, SHRINK, VARIANTS, VERSUS, options_of
from mcu_harness.app.settings import Source, command_source, settings
from mcu_harness.base.errors import HarnessError, ScenarioError, UnitError
from mcu_harness.scenario.discovery import expand
from mcu_harness.scenario.limits import parse_limits

NEEDED = {
    BUILD: ["m.tflite", "--output", "out"],
    FIT: ["m.tflite"],
    PROFILE: ["m.elf"],
    RUN: ["m.tflite"],
    SEARCH: ["net.py:make"],
    SHRINK: ["m.onnx", "--output", "out.onnx"],
    VARIANTS: ["a.tflite", "b.tflite"],
    VERSUS: ["m.tflite", "theirs.elf"],
}
HEAVY = {"numpy", "numba", "capstone", "unicorn", "elftools", "tabulate", "jinja2", "cattrs"}


def source(command: str, *words: str) -> Source:
    return command_source(command_parser().parse_args([command, *NEEDED[command], *words]))


@pytest.mark.parametrize("command", NEEDED)
def test_a_command_has_the_options_of_the_table_and_reads_them(command: str) -> None:
    assert options_of(command)
    for option in options_of(command):
        words = [option.command_flag, "x"] if option.values else [option.command_flag]
        assert not source(command).is_given(option.name)
        given = source(command, *words)
        assert given.is_given(option.name)
        expected = ("x",) if option.repeatable else "x" if option.values else "True"
        assert (given.texts(option.name) if option.repeatable else given.text(option.name)) == expected


@pytest.mark.parametrize("command", NEEDED)
@pytest.mark.parametrize(
    "words",
    [("--board", "a", "--board", "b"), ("--board", "a,b"), ("--board=a, b",), ("--boards", "a,b"), ("--board", "a,b,")],
)
def test_boards_are_spelled_in_one_way_everywhere(command: str, words: tuple[str, ...]) -> None:
    assert settings(source(command, *words)).boards == ("a", "b")


def test_pytest_and_ini_take_boards_in_the_same_spelling(tmp_path: Path) -> None:
    options, ini = {"--mcu-board": ["a,b", "c"]}, {"mcu_board": ["x, y"]}
    assert Source(options.get, ini.get, tmp_path, tmp_path).texts("board") == ("a", "b", "c")
    assert Source({}.get, ini.get, tmp_path, tmp_path).texts("board") == ("x", "y")


def test_flags_of_compilers_keep_their_commas() -> None:
    assert settings(source(RUN, "--toolchain", "gnu:-O3,-funroll-loops")).options.toolchain == "gnu:-O3,-funroll-loops"


def test_a_command_without_options_means_the_defaults() -> None:
    chosen = settings(source(RUN))
    assert (chosen.options.emulator, chosen.options.toolchain, chosen.options.kernels) == ("auto", "auto", "")
    assert (chosen.boards, chosen.toolchains, chosen.report_dir, chosen.github) == ((), (), None, False)
    assert not chosen.gate.is_pytest and not chosen.gate.update


def test_a_command_writes_no_annotations_unless_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert not settings(source(RUN)).github
    assert settings(source(RUN, "--github")).github


def test_what_a_command_must_repeat_is_in_its_own_spelling() -> None:
    gate = settings(source(RUN, "--board", "a", "--toolchain", "gnu", "--toolchain", "zig", "--baseline-dir", "d")).gate
    assert gate.accept_words == [
        "mcu-harness",
        "run",
        "--update-baseline",
        "--toolchain=gnu",
        "--toolchain=zig",
        "--baseline-dir=d",
    ]


def test_every_pytest_option_has_a_flag_of_its_own() -> None:
    assert len({option.flag for option in OPTIONS}) == len(OPTIONS) > 10


@pytest.mark.parametrize("command", NEEDED)
def test_an_unknown_option_is_answered_with_the_usage_of_its_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, *NEEDED[command], "--nonsense"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: mcu-harness {command} ")
    assert "unrecognized arguments: --nonsense" in said


@pytest.mark.parametrize("command", [RUN, PROFILE, BUILD])
def test_a_board_that_is_needed_is_asked_for(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = NEEDED[command][1:]
    assert main([command, str(tmp_path / "m.tflite"), *words]) == 2
    assert "m.tflite: which board?\n  hint: add --board NAME (repeatable)" in capsys.readouterr().err


def loaded(*words: str) -> set[str]:
    """The modules that a process has loaded when `mcu-harness *words` has printed its help."""
    code = (
        f"import sys\nfrom mcu_harness.app.cli.main import main\ntry:\n    main({list(words)!r})\n"
        "except SystemExit as ended:\n    assert ended.code == 0\nprint(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("usage: mcu-harness ")
    return set(done.stdout.splitlines()[-1].split())


def test_notes_are_on_unless_they_are_switched_off() -> None:
    assert settings(source(RUN)).notes and settings(source(PROFILE, "--notes", "on")).notes
    assert not settings(source(RUN, "--notes", "off")).notes
    with pytest.raises(HarnessError, match="notes: 'perhaps' is neither on nor off"):
        settings(source(RUN, "--notes", "perhaps"))


def test_help_of_a_command_loads_nothing_heavy() -> None:
    assert not HEAVY & loaded("run", "--help")


def test_help_loads_the_table_of_commands_and_no_command() -> None:
    modules = loaded("--help")
    assert {name for name in modules if name.startswith("mcu_harness.")} == {
        "mcu_harness.app",
        "mcu_harness.app.cli",
        "mcu_harness.app.cli.main",
        "mcu_harness.app.cli.streams",
        "mcu_harness.base",
        "mcu_harness.base.errors",
    }
    assert not {*HEAVY, "dataclasses", "inspect", "tempfile", "tomllib", "importlib.metadata"} & modules


@pytest.mark.parametrize("row", _COMMANDS, ids=lambda row: row.name)
def test_a_row_of_the_table_names_what_fills_its_parser(row: _Row, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([row.name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: mcu-harness {row.name} ")


def test_budgets_of_the_command_line_are_read_as_those_of_scenarios() -> None:
    limits = parse_limits(["flash=64KiB", "latency = 20 ms"])
    assert {key: budget.limit for key, budget in limits.items()} == {"flash": 65536, "latency": 0.02}
    with pytest.raises(ScenarioError, match="no budget is called 'flsh'"):
        parse_limits(["flsh=1"])
    with pytest.raises(UnitError):
        parse_limits(["flash=3 ms"])
    with pytest.raises(UnitError, match="--budget latency: a time from 0 to 604800 s is accepted, got '1e30 s'"):
        parse_limits(["latency=1e30 s"])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.toml", "deep/b.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('model = "m.tflite"\nboards = ["nrf52840dk"]\n')
    (tmp_path / "other.toml").write_text("[tool]\n")
    (tmp_path / "m.tflite").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    return tmp_path


def test_directories_and_patterns_stand_for_the_scenarios_in_them(tree: Path) -> None:
    names = [str(path.relative_to(tree)) for path in expand([tree])]
    assert names == ["a.toml", "deep/b.toml"]
    assert expand([tree / "*.toml"]) == [tree / "a.toml"]
    assert expand([tree / "m.t*", tree / "a.toml"]) == [tree / "m.tflite", tree / "a.toml"]
    assert expand([tree / "saved", tree / "missing.tflite"]) == [tree / "saved", tree / "missing.tflite"]


@pytest.mark.parametrize("name", ["empty", "x*.toml"])
def test_a_directory_or_pattern_that_holds_nothing_is_an_error(tree: Path, name: str) -> None:
    with pytest.raises(HarnessError, match=r"no scenarios there|nothing matches"):
        expand([tree / name])


def test_a_board_can_be_described_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "nrf52840dk"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("nrf52840dk: ") and "cortex-m4" in out and "64 MHz" in out and "source of memory: " in out
    assert main(["boards", "nrf52840d"]) == 2
    assert "nrf52840dk" in capsys.readouterr().err, "the nearest name"


def test_boards_as_json_are_those_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["format_version"] == 1
    assert main(["boards"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [board["name"] for board in plain["boards"]] == names
    nordic = next(board for board in plain["boards"] if board["name"] == "nrf52840dk")
    assert nordic["clock_hz"] == 64_000_000 and nordic["core"] == "cortex-m4"
    assert {"flash", "ram"} <= {memory["kind"] for memory in nordic["memories"]}
