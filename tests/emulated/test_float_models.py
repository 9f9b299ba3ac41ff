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


def test_an_onnx_model_with_channels_second_runs_on_inputs_as_it_has_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    from onnx_cases import CASES
    from onnx_models import OnnxBuilder

    builder = OnnxBuilder(seed=2)
    CASES["residual_blocks"](builder)
    builder.write(tmp_path / "net.onnx")
    calibration_file(tmp_path / "c.npz", shape=(3, 12, 12))
    rng = np.random.default_rng(3)
    np.savez(tmp_path / "test.npz", x=rng.normal(size=(3, 3, 12, 12)).astype(np.float32), labels=np.arange(3))
    scenario = tmp_path / "net.toml"
    scenario.write_text(
        f'model = "net.onnx"\nboards = ["{BOARD}"]\n[quantize]\ncalibration = "c.npz"\nmethod = "percentile"\n'
        '[inputs]\nfile = "test.npz"\n'
    )
    assert main(["run", str(scenario), "--json", str(tmp_path / "r.json")]) == 0
    run = results(tmp_path / "r.json")
    assert run["outputs"]["inputs"] == 3 and run["outputs"]["mismatches"] == 0
    made = run["provenance"]
    assert "ONNX" in made["converted_from"] and any("onnxruntime" in tool for tool in made["converters"])
    assert "input 'x': (1, 3, 12, 12) as the model was laid out is (1, 12, 12, 3) here" in made["import_notes"]
    command = ["convert", str(tmp_path / "net.onnx"), "--calibration", str(tmp_path / "c.npz")]
    assert main([*command, "--output", str(tmp_path / "net.tflite")]) == 0
    printed = capsys.readouterr().out
    assert "input 'x': (1, 3, 12, 12) as the model was laid out is (1, 12, 12, 3) here" in printed
    assert main(["convert", str(tmp_path / "net.onnx"), "--output", str(tmp_path / "none.tflite")]) == 2
    assert "no calibration samples" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "net.pth", "net.h5", "net.py", "net.keras", "net.pt2"])
def test_files_that_are_not_what_their_name_says_get_one_error(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x04\x95 neither a model nor anything else")
    command = ["convert", str(path), "--calibration", str(calibration_file(tmp_path / "c.npz"))]
    assert main([*command, "--output", str(tmp_path / "out.tflite")]) == 2
    text = capsys.readouterr().err
    assert str(path) in text and "Traceback" not in text and "hint: " in text
    assert not (tmp_path / "out.tflite").exists()


def test_what_quantisation_cost_is_in_results_reports_and_budgets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    float_tflite().write(tmp_path / "net.tflite")
    with np.load(calibration_file(tmp_path / "c.npz")) as given:
        np.savez(tmp_path / "test.npz", inputs=given["inputs"][:8], labels=np.arange(8) % 5)
    scenario = tmp_path / "net.toml"
    text = (
        f'model = "net.tflite"\nboards = ["{BOARD}"]\n[quantize]\ncalibration = "c.npz"\n'
        '[inputs]\nfile = "test.npz"\n[budgets]\naccuracy_drop = 0.3\nsqnr = "%s dB"\n'
    )
    scenario.write_text(text % 10)
    command = [
        "run",
        str(scenario),
        "-v",
        "--json",
        str(tmp_path / "r.json"),
        "--report-dir",
        str(tmp_path / "reports"),
    ]
    assert main(command) == 0
    assert "SQNR" in capsys.readouterr().out
    run = results(tmp_path / "r.json")
    figures = run["measurements"]
    assert figures["sqnr_db"]["value"] > 10 and figures["sqnr_db"]["unit"] == "dB"
    assert 0 <= figures["argmax_agreement"]["value"] <= 1 and abs(figures["accuracy_drop"]["value"]) <= 0.3
    assert "worst layer" in figures["sqnr_db"]["origin"] and "8 inputs" in figures["sqnr_db"]["origin"]
    assert all(layer["sqnr_db"] > 5 for layer in run["layers"])
    markdown = (tmp_path / "reports" / f"{BOARD}.md").read_text()
    assert "| SQNR " in markdown and "| accuracy drop " in markdown
    assert main(["report", str(tmp_path / "r.json"), "--format", "html", "--output", str(tmp_path / "r.html")]) == 0
    assert '<th scope="col" class="n">SQNR</th>' in (tmp_path / "r.html").read_text()
    scenario.write_text(text % 90)
    assert main(["run", str(scenario)]) == 1
    failed = capsys.readouterr().out
    assert "below the required 90.0 dB" in failed and "layer 0" in failed


def test_a_model_without_a_float_original_has_no_such_figures(tmp_path: Path, small_model: Path) -> None:
    scenario = tmp_path / "net.toml"
    scenario.write_text(f'model = "{small_model}"\nboards = ["{BOARD}"]\n[budgets]\nsqnr = "20 dB"\n')
    assert main(["run", str(scenario), "--json", str(tmp_path / "r.json")]) == 1
    run = results(tmp_path / "r.json")
    assert "sqnr_db" not in run["measurements"] and run["verdict"] == "not measured"
    assert "a model that was converted from a float one" in run["findings"][0]["message"]


def test_firmware_of_a_float_model_can_be_taken_along(tmp_path: Path) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    samples = calibration_file(tmp_path / "c.npz")
    command = ["build", str(model), "--board", BOARD, "--output", str(tmp_path / "firmware")]
    assert main(command) == 2  # no samples
    assert main([*command, "--calibration", str(samples)]) == 0
    assert (tmp_path / "firmware" / "README.md").read_text().startswith("# Firmware for `net.tflite` on ")
