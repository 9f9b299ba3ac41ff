"""Whose word the expected outputs are: LiteRT's, a file's, or nobody's; a run never passes by not being compared."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.app.pipeline import run_case
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.image.toolchain import Toolchain
from mcu_harness.model import samples
from mcu_harness.model.reference import run_reference
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import InputSpec, OutputSpec, scenario_for_model

MODEL = Path(__file__).parents[2] / "scenarios/models/digits.tflite"
INPUTS = InputSpec(seed=3, count=2)


def run(outputs: OutputSpec, toolchain: Toolchain) -> RunResult:
    scenario = replace(scenario_for_model(MODEL, ("nucleo_f103rb",)), inputs=INPUTS, outputs=outputs)
    return run_case(cases_of(scenario)[0], emulator_entry("unicorn").make(), toolchain.name, lambda _: None)


def test_a_file_that_contradicts_litert_is_blamed_and_not_the_firmware(tmp_path: Path, toolchain: Toolchain) -> None:
    graph = model_graph(MODEL)
    right = run_reference(MODEL, graph, samples_for(MODEL, INPUTS).inputs).outputs[0]
    np.savez(tmp_path / "right.npz", outputs=right)
    assert run(OutputSpec("file", tmp_path / "right.npz"), toolchain).verdict is Verdict.PASS
    wrong = right.copy()
    wrong[1].flat[3] ^= 1
    np.savez(tmp_path / "wrong.npz", outputs=wrong)
    result = run(OutputSpec("file", tmp_path / "wrong.npz"), toolchain)
    assert result.verdict is Verdict.FAIL
    assert "1 of 2 outputs differ from wrong.npz" in result.findings[0].message
    assert "all agree with LiteRT, which does not compute what wrong.npz expects" in result.findings[0].message


def test_without_the_oracle_that_was_asked_for_a_run_does_not_pass(
    monkeypatch: pytest.MonkeyPatch, toolchain: Toolchain
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ai_edge_litert" else find(name))
    samples._expected.cache_clear()
    result = run(OutputSpec("litert"), toolchain)
    samples._expected.cache_clear()
    assert result.verdict is Verdict.NOT_MEASURED
    assert result.findings[0].code == "output.unchecked"
    assert "pip install" in result.findings[0].message
    assert result.measurements["instructions"].value
    assert run(OutputSpec("none"), toolchain).verdict is Verdict.PASS
