"""Firmware that is wrong, too large, or hangs: the finding says so, and costs are not judged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.hardware.board_file import BOARD_DIRECTORY
from mcu_harness.image import build as build_module
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import load_scenario

Run = Callable[..., RunResult]


@pytest.fixture
def run(tmp_path: Path, small_model: Path) -> Run:
    """Runs the small model on a board of which `edit` changed the file, with more of a scenario."""
    shutil.copy(small_model, tmp_path / "small.tflite")

    def run(edit: Callable[[str], str] = str, more: str = "") -> RunResult:
        text = (BOARD_DIRECTORY / "stm32f4_discovery.toml").read_text()
        (tmp_path / "mine.toml").write_text(edit(text.replace('"stm32f4_discovery"', '"mine"')))
        (tmp_path / "case.toml").write_text('model = "small.tflite"\nboards = ["mine.toml"]\n' + more)
        (case,) = cases_of(load_scenario(tmp_path / "case.toml"))
        return Session().run(case, Options(emulator="unicorn"))

    return run


@pytest.fixture
def broken_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Builds from a copy of the firmware in which a piece of a file is replaced."""

    def replace_text(file: str, old: str, new: str) -> None:
        shutil.copytree(build_module.FIRMWARE, tmp_path / "firmware")
        path = tmp_path / "firmware" / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
        monkeypatch.setattr(build_module, "FIRMWARE", tmp_path / "firmware")

    return replace_text


def test_wrong_kernel_is_named_by_its_layer_and_costs_are_not_judged(run: Run, broken_kernel) -> None:  # type: ignore[no-untyped-def]
    right = "(int8_t)mcu_clamp(value, minimum, maximum)"
    broken_kernel("kernels/portable/fully_connected_s8.c", right, f"(int8_t)({right} ^ 1)")
    result = run(more='kernels = "portable"\n[budgets]\nflash = "1 KiB"\n')
    assert result.verdict is Verdict.FAIL
    assert [finding.code for finding in result.findings] == ["output.mismatch"]
    assert "layer 02 FULLY_CONNECTED, element 0 of 5" in result.findings[0].message


def test_expected_outputs_that_are_not_litert_s_are_told_apart_from_a_wrong_kernel(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "expected.npz", outputs=np.full((4, 1, 5), 3, np.int8))
    result = run(more='[outputs]\nfile = "expected.npz"\n')
    assert result.outputs.mismatches == 4
    assert "all agree with LiteRT, which does not compute what expected.npz expects" in result.findings[0].message


def test_too_little_flash_says_how_much_is_missing_and_what_takes_most(run: Run) -> None:
    result = run(lambda text: text.replace('size = "1 MiB"', 'size = "4 KiB"'))
    assert [finding.code for finding in result.findings] == ["fit.flash"]
    finding = result.findings[0]
    assert finding.measured > finding.limit == 4096
    assert f"{finding.measured - finding.limit:,} B more than its 4,096 B" in finding.message
    assert finding.contributors[0].value > 0
    assert result.value("instructions") is None
    assert result.value("flash_bytes") == finding.measured


def test_stack_that_reaches_the_data_is_an_overflow(run: Run, broken_kernel) -> None:  # type: ignore[no-untyped-def]
    broken_kernel(
        "runtime/main.c",
        "        mcu_infer();",
        "        volatile uint8_t deep[131072 - 256];\n        for (uint32_t i = 0; i < sizeof deep; i++) deep[i] = 1;\n        mcu_infer();",
    )
    result = run()
    assert "run.stack-overflow" in [finding.code for finding in result.findings]
    assert result.verdict is Verdict.FAIL


def test_an_instruction_that_the_core_does_not_have_is_named_with_its_layer(run: Run, broken_kernel) -> None:  # type: ignore[no-untyped-def]
    # Made an M3 with an FPU's and DSP instructions left to the emulator: it runs SMUAD (fb21 f002) all the same.
    anchor = "(int8_t)mcu_clamp(value, minimum, maximum)"
    inserted = '({ __asm__ volatile(".inst.w 0xfb21f002" ::: "r0"); ' + anchor + "; })"
    broken_kernel("kernels/portable/fully_connected_s8.c", anchor, inserted)
    result = run(
        lambda text: text.replace('"cortex-m4"', '"cortex-m3"').replace('fpu = "fpv4-sp-d16"\n', ""),
        'kernels = "portable"\n',
    )
    (finding,) = result.findings
    assert finding.code == "law.instruction" and result.verdict is Verdict.FAIL
    layer = next(layer.name for layer in result.layers if layer.operator == "FULLY_CONNECTED")
    assert "has no `smuad r0, r1, r2`, in " in finding.message and f", layer {layer}: " in finding.message
    assert any("executed 20 times" in line for line in finding.details)


def test_results_say_not_measured_where_nothing_ran(run: Run) -> None:
    result = run(lambda text: text.replace('size = "1 MiB"', 'size = "4 KiB"'))
    for name in ("instructions", "cycles", "latency_s", "stack_hwm_bytes"):
        assert result.measurements[name].value is None
        assert result.measurements[name].origin == "not measured: the run did not finish"
    assert json.dumps(result.outputs.mismatches) == "null"
    assert replace(result, console="") == result
