"""Scenarios about firmware: what is read, what is refused, and what counts as a scenario at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.base.errors import HarnessError
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.discovery import is_scenario_file
from mcu_harness.scenario.firmware_tables import DialogueStep, Region
from mcu_harness.scenario.scenario import load_scenario

TOP = 'boards = ["stm32f4_discovery"]\n'
FULL = (
    TOP
    + """
[firmware]
elf = "out/{board}/fw.elf"
build = ["make", "-C", "fw", "BOARD={board}"]
build_timeout = "90 s"
begin = "infer"
end = "done"
stop = "0x08000124"
stop_after = "50 M"

[profile]
regions = {conv = ["arm_conv*", "pad"], "fully connected" = ["fc"]}

[console]
dialogue = [{wait = "ready"}, {send = "name%", wait = "ready"}]

[budgets]
stack = "4 KiB"
"""
)


def scenario_file(folder: Path, text: str) -> Path:
    path = folder / "fw.toml"
    path.write_text(text)
    return path


def test_everything_is_read(tmp_path: Path) -> None:
    scenario = load_scenario(scenario_file(tmp_path, FULL))
    spec = scenario.firmware
    assert spec is not None
    assert spec.build == ("make", "-C", "fw", "BOARD={board}")
    assert (spec.build_timeout_s, spec.stop_after) == (90, 50_000_000)
    assert (spec.begin, spec.end, spec.stop) == ("infer", "done", "0x08000124")
    assert spec.regions == (Region("conv", ("arm_conv*", "pad")), Region("fully connected", ("fc",)))
    assert spec.dialogue == (DialogueStep("", "ready"), DialogueStep("name%", "ready"))
    assert set(scenario.budgets) == {"stack"}
    (case,) = cases_of(scenario)
    assert case.model == tmp_path.resolve() / "out/stm32f4_discovery/fw.elf"


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (TOP + '[firmware]\nelf = "no.elf"\n', ":3: firmware.elf", "no such file"),
        (TOP + '[firmware]\nimage = "no.bin"\n', ":3: firmware.image", "no such file"),
        (TOP + '[firmware]\nelf = "a"\nimage = "b"\n', ":3: firmware.elf", "not both"),
        (TOP + '[firmware]\nbuild = ["x"]\n', ":2: firmware.elf", "missing"),
        (TOP + '[firmware]\nelf = "a"\nbuild = "make"\n', ":4: firmware.build", "expected a list of strings"),
        (TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\nbeginn = "y"\n', ":5: firmware.beginn", "unknown key"),
        (TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\nend = "y"\n', ":5: firmware.end", "without a beginning"),
        (TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\nbegin = "y"\nend = "y"\n', ":6: firmware.end", "same place"),
        (TOP + 'model = "m.tflite"\n[firmware]\nelf = "a"\nbuild = ["x"]\n', ":2: model", "belongs to a model"),
        (TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\n[inputs]\nseed = 1\n', ":5: inputs", "belongs to a model"),
        (TOP + 'model = "m"\n[profile]\nregions = {}\n', ":3: profile", "the user's own firmware"),
        (TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\n[profile.regions]\nconv = []\n', ":6: ", "no symbols"),
        (TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\n[console]\ndialogue = [{}]\n', "dialogue", "neither sends"),
        (
            TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\n[console]\ndialogue = [{send = "a", inferences = 2}]\n',
            "inferences", "only a measured step",
        ),
        (
            TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\n[[console.dialogue]]\nsend = "a"\nmeasure = true\ntimes = 2\n',
            ":8: console.dialogue.times", "called `inferences`",
        ),
        (
            TOP + '[firmware]\nelf = "a"\nbuild = ["x"]\nbegin = "b"\n[console]\ndialogue = [{send = "a", measure = true}]\n',
            ":5: firmware.begin", "already says what is measured",
        ),
    ],
)  # fmt: skip
def test_mistakes_name_line_and_key(tmp_path: Path, text: str, where: str, problem: str) -> None:
    with pytest.raises(HarnessError) as caught:
        load_scenario(scenario_file(tmp_path, text))
    assert where in str(caught.value) and problem in str(caught.value)


def test_a_table_of_another_tool_is_no_scenario(tmp_path: Path) -> None:
    assert is_scenario_file(scenario_file(tmp_path, TOP + '[budgets]\nflash = 1\n[firmware]\nelf = "a"\n'))
    assert not is_scenario_file(scenario_file(tmp_path, '[firmware]\nelf = "a"\n'))
    assert not is_scenario_file(scenario_file(tmp_path, TOP + "[firmware.other]\n"))


@pytest.mark.parametrize("time", ["0", "1e30 s", "8e5 s", "-1 s"])
def test_a_build_has_a_time_that_is_one(tmp_path: Path, time: str) -> None:
    with pytest.raises(HarnessError, match=r"fw.toml:6: firmware.build_timeout: .* is no time to build in"):
        load_scenario(scenario_file(tmp_path, FULL.replace("90 s", time)))
