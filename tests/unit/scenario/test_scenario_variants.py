"""[[variants]] of a scenario, and variants named on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.base.errors import ScenarioError
from mcu_harness.scenario.cases import cases_of, with_limits
from mcu_harness.scenario.discovery import is_scenario_file
from mcu_harness.scenario.limits import parse_limits
from mcu_harness.scenario.scenario import load_scenario
from mcu_harness.scenario.variants import named_variants

GOOD = """\
boards = ["stm32f4_discovery", "nucleo_g071rb"]

[quantize]
calibration = "x.npz"

[budgets]
flash = "64 KiB"
latency = "20 ms"

[[variants]]
model = "net.onnx"

[[variants]]
name = "per_tensor"
model = "net.onnx"
[variants.quantize]
calibration = "x.npz"
per_channel = false
[variants.budgets]
latency = "10 ms"
[variants.budgets.nucleo_g071rb]
latency = "2 s"
"""


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    for name in ("net.onnx", "x.npz"):
        (tmp_path / name).write_bytes(b"not read here")

    def write(text: str) -> Path:
        path = tmp_path / "case.toml"
        path.write_text(text)
        return path

    return write


def test_each_variant_has_its_own_name_conversion_and_budgets_over_those_of_the_scenario(write) -> None:  # type: ignore[no-untyped-def]
    cases = {case.name: case for case in cases_of(load_scenario(write(GOOD)))}
    assert list(cases) == [
        "net-stm32f4_discovery", "net-nucleo_g071rb", "per_tensor-stm32f4_discovery", "per_tensor-nucleo_g071rb",
    ]  # fmt: skip
    assert [case.quantize.per_channel for case in cases.values()] == [True, True, False, False]
    assert [case.budgets["latency"].limit for case in cases.values()] == [0.020, 0.020, 0.010, 2]
    assert {case.budgets["flash"].limit for case in cases.values()} == {65536}


def test_a_limit_of_the_command_line_stands_over_those_of_variants(write) -> None:  # type: ignore[no-untyped-def]
    scenario = with_limits(load_scenario(write(GOOD)), parse_limits(["latency=1ms"]))
    assert [case.budgets["latency"].limit for case in cases_of(scenario)] == [0.001] * 4


def test_a_file_with_variants_is_a_scenario_and_so_is_a_broken_one(write) -> None:  # type: ignore[no-untyped-def]
    assert is_scenario_file(write(GOOD))
    assert is_scenario_file(write(GOOD.replace("false", "no")))
    assert not is_scenario_file(write('boards = ["a"]\n[[variants]]\ncolour = "red"\n'))


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (('name = "per_tensor"', 'name = "net"'), 14, "two variants are called 'net'"),
        (('name = "per_tensor"', 'name = "a/b"'), 14, "'a/b' is not a plain name"),
        (('name = "per_tensor"\nmodel = "net.onnx"', 'name = "per_tensor"\nmodel = "no.onnx"'), 15, "no.onnx"),
        (("per_channel", "per_chanel"), 18, "unknown key"),
        (('latency = "10 ms"', 'latency = "10 MHz"'), 20, "unknown unit 'MHz'"),
        (("[variants.budgets.nucleo_g071rb]", "[variants.budgets.nucleo_g071]"), 21, "unknown key"),
        (('boards = ["stm', 'model = "net.onnx"\nboards = ["stm'), 1, "not both"),
    ],
)
def test_mistakes_name_file_line_and_key(write, change: tuple[str, str], line: int, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ScenarioError) as error:
        load_scenario(write(GOOD.replace(*change)))
    assert f"case.toml:{line}: " in str(error.value) and said in str(error.value)


def test_number_of_emulated_inputs_needs_a_file_and_is_1_or_more(write) -> None:  # type: ignore[no-untyped-def]
    scenario = load_scenario(write(GOOD + '[inputs]\nfile = "x.npz"\nemulated = 3\n'))
    assert (scenario.inputs.count, scenario.inputs.emulated) == (None, 3)
    for inputs in ("[inputs]\nemulated = 3\n", '[inputs]\nfile = "x.npz"\nemulated = 0\n'):
        with pytest.raises(ScenarioError, match="emulated"):
            load_scenario(write(GOOD + inputs))


def test_variants_of_the_command_line_are_told_apart_by_name_or_ending() -> None:
    words = ["a/net.onnx", "net.tflite", "small=b/net.onnx", "odd name.tflite", "make.py:net"]
    assert [each.name for each in named_variants(words)] == [
        "net.onnx", "net.tflite", "small", "odd-name", "make-net",
    ]  # fmt: skip
    with pytest.raises(ScenarioError, match=r"two variants are called 'net.onnx'"):
        named_variants(["a/net.onnx", "b/net.onnx"])
