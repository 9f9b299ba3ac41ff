"""Float models go from a command line or a scenario to a verdict, their outputs equal to LiteRT's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from float_models import calibration_file, float_tflite
from mcu_harness.app.cli.main import main

pytest.importorskip("ai_edge_litert.interpreter")
BOARD = "nrf52840dk"


def results(path: Path) -> dict:  # type: ignore[type-arg]
    (run,) = json.loads(path.read_text())["runs"]
    return run


def test_a_float_model_and_samples_are_enough(tmp_path: Path) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    samples = calibration_file(tmp_path / "c.npz")
    report = tmp_path / "r.json"
    assert main(["run", str(model), "--board", BOARD, "--calibration", str(samples), "--json", str(report)]) == 0
    run = results(report)
    assert run["model"] == "net" and run["verdict"] == "pass"
    assert run["outputs"]["inputs"] == 4 and run["outputs"]["mismatches"] == 0


def test_a_scenario_quantises_and_feeds_floats(tmp_path: Path) -> None:
    float_tflite().write(tmp_path / "net.tflite")
    samples = calibration_file(tmp_path / "c.npz")
    with np.load(samples) as given:
        np.savez(tmp_path / "test.npz", inputs=given["inputs"][:5], labels=np.arange(5))
    scenario = tmp_path / "net.toml"
    scenario.write_text(
        f'model = "net.tflite"\nboards = ["{BOARD}"]\n[quantize]\ncalibration = "c.npz"\ncount = 20\n'
        '[inputs]\nfile = "test.npz"\n'
    )
    assert main(["run", str(scenario), "--json", str(tmp_path / "r.json")]) == 0
    outputs = results(tmp_path / "r.json")["outputs"]
    assert outputs["inputs"] == 5 and outputs["mismatches"] == 0 and outputs["accuracy"] is not None


def test_without_samples_the_error_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    assert main(["convert", str(model), "--output", str(tmp_path / "out.tflite")]) == 2
    text = capsys.readouterr().err
    assert "no calibration samples" in text and "--calibration" in text and "Traceback" not in text
    assert not (tmp_path / "out.tflite").exists()


def test_the_int8_file_is_kept_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    samples, output = calibration_file(tmp_path / "c.npz"), tmp_path / "deep" / "out.tflite"
    assert main(["convert", str(model), "--calibration", str(samples), "--output", str(output)]) == 0
    assert f"wrote {output}: {output.stat().st_size} bytes, 4 layers" in capsys.readouterr().out
    assert main(["run", str(output), "--board", BOARD]) == 0
