from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.scenario import is_scenario_file, load_scenario, scenario_for_model

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
        (("boards = [", "bords = ["), 1, "boards: missing", "boards"),
        (("flash = ", "flsh = "), 9, "budgets.flsh: unknown key", "did you mean 'flash'"),
        (("nucleo_g071rb]", "nucleo_g071]"), 12, "budgets.nucleo_g071: unknown key", "did you mean 'nucleo_g071rb'"),
        (('"20 ms"', '"20 MHz"'), 10, "unknown unit 'MHz'", "ms"),
        (('"2 s"', '"2 V"'), 13, "unknown unit 'V'", "ms"),
        (("net.tflite", "nett.tflite"), 1, "no such file", "relative to the scenario file"),
        (('"nucleo_g071rb"]', '"nucleo_g071"]'), 2, "no board named 'nucleo_g071'", "did you mean 'nucleo_g071rb'"),
        (("count = 2", "count = 0"), 6, "must be 1 or more", ""),
        (("count = 2", 'count = "2"'), 6, "expected a whole number", ""),
        (("[inputs]", "[inputs"), 4, "not valid TOML", ""),
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
        ('name = "x"\nmodels = []\n', True),
        ("[tool.x]\nmodel = 1\n", False),
        ('title = "other"\n', False),
        ("# model = 1\n", False),
    ],
)
def test_only_files_with_a_model_are_scenarios(write, text: str, expected: bool) -> None:  # type: ignore[no-untyped-def]
    assert is_scenario_file(write(text)) is expected


def test_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        scenario_for_model(tmp_path / "none.tflite", ("stm32f4_discovery",))
