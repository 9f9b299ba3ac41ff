from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from mcu_harness.base.errors import ScenarioError
from mcu_harness.scenario.discovery import KEYS, is_scenario_file
from mcu_harness.scenario.quantize import QuantizeSpec
from mcu_harness.scenario.scenario import load_scenario, scenario_for_model

GOOD = """\
model = "net.tflite"
boards = ["stm32f4_discovery", "nucleo_g071rb"]

[inputs]
seed = 7
count = 2

[budgets]
flash = "64 KiB"
latency = "20 ms"

[budgets.nucleo_g071rb]
latency = "2 s"
"""


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    (tmp_path / "net.tflite").write_bytes(b"not read here")

    def write(text: str) -> Path:
        path = tmp_path / "case.toml"
        path.write_text(text)
        return path

    return write


def test_scenario_is_read_with_per_board_budgets_over_common_ones(write) -> None:  # type: ignore[no-untyped-def]
    scenario = load_scenario(write(GOOD))
    assert scenario.name == "case"
    assert (scenario.inputs.seed, scenario.inputs.count) == (7, 2)
    assert scenario.budgets_for("stm32f4_discovery")["latency"].limit == pytest.approx(0.020)
    assert scenario.budgets_for("nucleo_g071rb")["latency"].limit == 2
    assert scenario.budgets_for("nucleo_g071rb")["flash"].limit == 65536
    assert scenario.outputs.oracle == "litert"


@pytest.mark.parametrize(
    ("change", "line", "said", "hint"),
    [
        (("seed = 7", "sead = 7"), 5, "inputs.sead: unknown key", "did you mean 'seed'"),
        (("boards = [", "bords = ["), 1, "boards: missing", "is `bords` meant to be `boards`?"),
        (("flash = ", "flsh = "), 9, "budgets.flsh: unknown key", "did you mean 'flash'"),
        (("nucleo_g071rb]", "nucleo_g071]"), 12, "budgets.nucleo_g071: unknown key", "did you mean 'nucleo_g071rb'"),
        (('"20 ms"', '"20 MHz"'), 10, "unknown unit 'MHz'", "ms"),
        (('"2 s"', '"2 V"'), 13, "unknown unit 'V'", "ms"),
        (("net.tflite", "nett.tflite"), 1, "no such file", "relative to the scenario file"),
        (('"nucleo_g071rb"]', '"nucleo_g071"]'), 2, "no board named 'nucleo_g071'", "did you mean 'nucleo_g071rb'"),
        (("count = 2", "count = 0"), 6, "must be 1 or more", ""),
        (("count = 2", 'count = "2"'), 6, "expected a whole number", ""),
        (("[inputs]", "[inputs"), 4, "not valid TOML", ""),
        (('"64 KiB"', "1" + "0" * 400), 9, "has no unit", "KiB"),
        (('"64 KiB"', "65536"), 9, "has no unit, and a size needs one", "KiB"),
        (('"64 KiB"', '"1e303 GiB"'), 9, "not a finite number", "KiB"),
        (('"20 ms"', '"1e30 s"'), 10, "a time from 0 to 604800 s is accepted, got '1e30 s'", "ms"),
        (('"64 KiB"', '"-1 KiB"'), 9, "a size from 0 to 1 GiB is accepted, got '-1 KiB'", "KiB"),
        (('flash = "64 KiB"', "cycles = 1e16"), 9, "a count from 0 to 1e15 is accepted, got '1e+16'", ""),
        (('flash = "64 KiB"', 'energy = "1e9 J"'), 9, "an energy from 0 to 1000000 J is accepted, got '1e9 J'", "mJ"),
        (('flash = "64 KiB"', "accuracy = 95"), 9, "more than 100 % cannot be reached", '"95 %"'),
        (("seed = 7", 'file = "."'), 5, "is a directory", "relative to the scenario file"),
    ],
)
def test_mistake_is_one_error_with_file_line_key_and_way_out(write, change, line, said, hint) -> None:  # type: ignore[no-untyped-def]
    path = write(GOOD.replace(*change))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert f"{path}:{line}:" in caught.value.message
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_file_that_is_not_text_is_an_error(write) -> None:  # type: ignore[no-untyped-def]
    path = write("")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="not UTF-8"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, True),
        ('boards = ["b"]\nmodels = ["a.tflite", "b.tflite"]\n', True),
        # Every spelling that TOML has.
        ("\"model\" = 'm.tflite'\n'boards' = ['b']\n", True),
        ('boards = [\n  "b", # one\n]\n\n\nmodel="""m.tflite"""\n', True),
        ('boards = ["b"]\nfirmware = { image = "f.elf" }\n', True),
        ('boards = ["b"]\nfirmware.image = "f.elf"\n', True),
        ('[ "firmware" ]\nimage = "f.elf"\n', False),
        ('boards = ["b"]\r\n[ "firmware" ]\r\nimage = "f.elf"\r\n', True),
        # Somebody else's.
        ('name = "x"\nmodels = []\n', False),
        ('model = "resnet50"\nlr = 0.1\n[data]\nboards = ["b"]\n', False),
        ('model = "gpt"\nprompt = """\nboards = ["nrf52840dk"]\n"""\n', False),
        ('[model]\nname = "x"\n', False),
        ('boards = ["pin", "cork"]\nmodes = 3\n', False),
        ('boards = ["pin", "cork"]\n', False),
        ("[tool.x]\nmodel = 1\n", False),
        ('title = "other"\n', False),
        ("# model = 1\n", False),
        # Meant as a scenario: to be reported.
        ('modle = "m.tflite"\nboards = ["nrf52840dk"]\n', True),
        ('model = "m.tflite"\nbords = ["nrf52840dk"]\n', True),
        ('model = "m.tflite"\nboard = "nrf52840dk"\n', True),
        ('model = "m.tflite"\nboards = ["nrf52840dk",\n', True),
        ('boards = ["b"]\n[firmware]\nimage = \n', True),
        ('model = "resnet50"\nlr = \n', False),
    ],
)
def test_a_scenario_is_toml_that_names_boards_and_what_runs_on_them(write, text: str, expected: bool) -> None:  # type: ignore[no-untyped-def]
    assert is_scenario_file(write(text)) is expected


LEFT = [b"", b"\x8f\x00\xff\xfe", b'[budgets]\nflash = "64 KiB"\n', b'[budgets]\nflash = "64 Ki']
OF_OTHERS = [
    b"# nothing yet\n",
    b'[profile.default]\nsrc = "src"\n',
    b'model = "large"\nname = "chat"\n',
    b'model = "net.tflite"\ntemperature = 0.5\n',
    b"[package\nname = 1\n",
]


@pytest.mark.parametrize(
    ("content", "expected"), [*((each, True) for each in LEFT), *((each, False) for each in OF_OTHERS)]
)
def test_what_is_left_of_a_scenario_is_one_beside_others_or_with_a_baseline(
    write,  # type: ignore[no-untyped-def]
    content: bytes,
    expected: bool,
) -> None:
    """Else a file that was cut off takes its gate along, and nobody is told. Files of others stay what they are."""
    path = write(GOOD).with_name("cut.toml")
    path.write_bytes(content)
    assert is_scenario_file(path) is expected
    if expected:
        with pytest.raises(ScenarioError, match=r"cut\.toml"):
            load_scenario(path)
    for other in set(path.parent.glob("*.toml")) - {path}:
        other.unlink()
    assert not is_scenario_file(path)
    (path.parent / "baselines").mkdir()
    (path.parent / "baselines" / "cut@nucleo_g071rb.json").touch()
    assert is_scenario_file(path) is expected
    path.rename(path.with_name("ruff.toml"))
    assert not is_scenario_file(path.with_name("ruff.toml"))


def test_keys_of_scenarios_are_those_that_are_described() -> None:
    meanings = tomllib.loads((Path(__file__).parents[3] / "docs" / "key_meanings.toml").read_text(encoding="utf-8"))
    assert {key.partition(".")[0] for key in meanings["scenario"]} == KEYS


def test_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        scenario_for_model(tmp_path / "none.tflite", ("stm32f4_discovery",))


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "{a=" * 3000 + "1" + "}" * 3000, "9" * 6000])
def test_toml_that_no_parser_likes_is_one_error(write, value: str) -> None:  # type: ignore[no-untyped-def]
    path = write(GOOD + f"x = {value}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(path) in caught.value.message
    assert len(caught.value.message) < 500


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_model_in_a_directory_that_may_not_be_searched_is_one_error(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    with pytest.raises(ScenarioError, match="permission denied"):
        scenario_for_model(locked / "net.tflite", ("stm32f4_discovery",))


def test_model_that_is_a_directory_or_a_pipe_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a directory"):
        scenario_for_model(tmp_path, ("stm32f4_discovery",))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.tflite")
        with pytest.raises(ScenarioError, match="not a plain file"):
            scenario_for_model(tmp_path / "pipe.tflite", ("stm32f4_discovery",))


def test_a_file_name_cannot_break_a_line_or_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\n\x1b[31mb.tflite").write_bytes(b"")
    assert scenario_for_model(tmp_path / "a\n\x1b[31mb.tflite", ("stm32f4_discovery",)).name == "a??[31mb"


def quantize(tmp_path: Path, body: str) -> Path:
    (tmp_path / "m.tflite").write_bytes(b"")
    (tmp_path / "c.npz").write_bytes(b"")
    path = tmp_path / "s.toml"
    path.write_text(f'model = "m.tflite"\nboards = ["nrf52840dk"]\n[quantize]\n{body}')
    return path


def test_quantisation_is_read_with_its_defaults(tmp_path: Path) -> None:
    found = load_scenario(quantize(tmp_path, 'calibration = "c.npz"\n')).quantize
    assert found == QuantizeSpec(tmp_path.resolve() / "c.npz", None, "minmax", True)
    body = 'calibration = "c.npz"\ncount = 9\nmethod = "percentile"\nper_channel = false\n'
    assert load_scenario(quantize(tmp_path, body)).quantize == QuantizeSpec(
        tmp_path.resolve() / "c.npz", 9, "percentile", False
    )
    assert load_scenario(quantize(tmp_path, 'scheme = "int4"\n')).quantize == QuantizeSpec(scheme="int4")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('scheme = "16x8"\n', "s.toml:3: quantize.calibration: missing"),
        ('scheme = "int2"\n', "s.toml:4: quantize.scheme: unknown value 'int2'"),
        ("count = 3\n", "s.toml:3: quantize.calibration: missing"),
        ('calibration = "none.npz"\n', "s.toml:4: quantize.calibration: no such file"),
        ('calibration = "c.npz"\ncount = 0\n', "s.toml:5: quantize.count: must be 1 or more"),
        ('calibration = "c.npz"\nmethod = "mean"\n', "s.toml:5: quantize.method: unknown value 'mean'"),
        ('calibration = "c.npz"\nper_channels = true\n', "s.toml:5: quantize.per_channels: unknown key"),
    ],
)
def test_mistakes_about_quantisation_name_line_and_key(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(quantize(tmp_path, body))
    assert message in caught.value.message
