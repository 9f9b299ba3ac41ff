"""A scenario with Renode files of the user's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import EmulatorError, ScenarioError
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.find import Install
from mcu_harness.results.records import Verdict
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.scenario import load_scenario


def case(folder: Path, model: Path, *names: str) -> Case:
    shutil.copy(model, folder / "m.tflite")
    text = 'model = "m.tflite"\nboards = ["stm32f4_discovery"]\n[renode]\n' + f"include = {json.dumps(names)}\n"
    (folder / "case.toml").write_text(text)
    return cases_of(load_scenario(folder / "case.toml"))[0]


@pytest.mark.renode
def test_the_users_own_files_are_taken_in(tmp_path: Path, small_model: Path, renode_install: Install) -> None:
    (tmp_path / "extra; quit.repl").write_text("extra: Memory.MappedMemory @ sysbus 0x70000000\n    size: 0x1000\n")
    (tmp_path / "set $up.resc").write_text("sysbus WriteDoubleWord 0x70000000 0x12345678\n")
    session = Session()
    try:
        result = session.run(case(tmp_path, small_model, "extra; quit.repl", "set $up.resc"), Options())
    finally:
        session.close()
    assert (result.verdict, result.emulator.name) == (Verdict.PASS, RenodeEmulator.name)
    assert renode_install.version in result.emulator.version


@pytest.mark.renode
@pytest.mark.usefixtures("renode_install")
def test_script_that_fails_is_an_error_that_names_it(tmp_path: Path, small_model: Path) -> None:
    (tmp_path / "broken.resc").write_text("sysbus NoSuchCommand\n")
    session = Session()
    try:
        with pytest.raises(EmulatorError, match=r"broken\.resc"):
            session.run(case(tmp_path, small_model, "broken.resc"), Options())
    finally:
        session.close()


def test_the_embedded_emulator_refuses_them(tmp_path: Path, small_model: Path) -> None:
    (tmp_path / "extra.repl").write_text("")
    with pytest.raises(EmulatorError, match=r"nothing of Renode's files: .*extra\.repl") as caught:
        Session().run(case(tmp_path, small_model, "extra.repl"), Options(emulator="unicorn"))
    assert "--emulator renode" in caught.value.hint


@pytest.mark.parametrize(("name", "said"), [("none.repl", "no such file"), ("m.tflite", "neither a .repl nor a .resc")])
def test_wrong_file_is_a_mistake_in_the_scenario(tmp_path: Path, small_model: Path, name: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said) as caught:
        case(tmp_path, small_model, name)
    assert "case.toml:4: renode.include" in caught.value.message
