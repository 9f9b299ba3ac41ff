"""Variants from model files to a verdict: an ONNX net, narrower ones, and an int8 .tflite, on one data set."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.results import results_file
from model_builder import ModelBuilder

pytest.importorskip("onnxruntime")
BOARD = "nucleo_g071rb"


def net(path: Path, channels: int, seed: int) -> Path:
    """A convolution and a dense layer on images (1, 2, 6, 6)."""
    from onnx_models import OnnxBuilder

    builder = OnnxBuilder(seed)
    x = builder.conv(builder.input("image", (1, 2, 6, 6)), (2, channels), pads=[1, 1, 1, 1])
    x = builder.node("Relu", x)
    x = builder.node("Flatten", x, axis=1)
    builder.output(builder.node("Gemm", x, builder.weights((channels * 36, 5)), builder.constant(np.zeros(5))))
    return builder.write(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nets, data labelled by the first of them, and samples to quantise with."""
    import onnxruntime

    folder = tmp_path_factory.mktemp("variants")
    for name, channels, seed in (("wide", 8, 1), ("narrow", 2, 2)):
        net(folder / f"{name}.onnx", channels, seed)
    builder = ModelBuilder(seed=3)
    x = builder.conv_2d(builder.input((1, 6, 6, 2)), channels=16, activation="RELU")
    builder.output(builder.fully_connected(builder.reshape(x, (1, -1)), units=5))
    (folder / "int8.tflite").write_bytes(builder.build())
    samples = np.random.default_rng(4).normal(size=(60, 2, 6, 6)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(folder / "wide.onnx"))
    labels = [int(session.run(None, {"image": sample[np.newaxis]})[0].argmax()) for sample in samples]
    np.savez(folder / "data.npz", inputs=samples, labels=np.array(labels))
    np.savez(folder / "typical.npz", inputs=samples[:30])
    return folder


def test_variants_of_three_formats_are_compared_on_one_data_set(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: folder / f"out.{name}" for name in ("json", "csv", "markdown", "html", "results")}
    words = [f"--{name}={path}" for name, path in files.items()]
    models = [str(folder / name) for name in ("wide.onnx", "narrow.onnx", "int8.tflite")]
    data = [f"--dataset={folder / 'data.npz'}", f"--calibration={folder / 'typical.npz'}"]
    assert main(["variants", *models, f"--board={BOARD}", "--emulator=unicorn", *data, *words]) == 0
    said = capsys.readouterr().out
    assert f"data on {BOARD}" in said and "narrow against wide" in said
    (found,) = json.loads(files["json"].read_text())["comparisons"]
    assert found["quality"] == "accuracy" and found["reference"] == "wide"
    by_name = {each["name"]: each for each in found["variants"]}
    assert by_name["wide"]["figures"]["accuracy"] > 0.9 > by_name["narrow"]["figures"]["accuracy"]
    assert [name for name, each in by_name.items() if each["on_front"]] == ["wide", "narrow"]
    assert "wide" in by_name["int8"]["dominated_by"]  # random weights: slower, and right by chance alone
    rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert [row["variant"] for row in rows] == [each["name"] for each in found["variants"]]
    runs = {run.model: run for run in results_file.load(files["results"]).runs}
    assert {(run.outputs.inputs, run.outputs.labelled, run.outputs.mismatches) for run in runs.values()} == {(4, 60, 0)}
    assert runs["wide"].measurements["accuracy"].origin.startswith("60 labelled inputs, by LiteRT")
    assert files["html"].read_text().count("<svg") == 3 and "narrow" in files["markdown"].read_text()


def test_accuracy_is_the_same_however_many_inputs_are_emulated(folder: Path) -> None:
    found = []
    for emulated in (1, 60):
        path = folder / f"results_{emulated}.json"
        words = [f"--emulated={emulated}", f"--results={path}", "--emulator=unicorn", f"--board={BOARD}"]
        data = [f"--dataset={folder / 'data.npz'}", f"--calibration={folder / 'typical.npz'}"]
        assert main(["variants", str(folder / "narrow.onnx"), str(folder / "int8.tflite"), *data, *words]) == 0
        found.append({run.model: run.value("accuracy") for run in results_file.load(path).runs})
    assert found[0] == found[1]


def test_variant_that_cannot_be_read_is_named_and_the_others_are_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.onnx").write_bytes(b"not a model")
    models = [str(folder / name) for name in ("narrow.onnx", "int8.tflite", "bad.onnx")]
    data = [f"--calibration={folder / 'typical.npz'}"]
    assert main(["variants", *models, f"--board={BOARD}", "--emulator=unicorn", *data]) == 2
    said = capsys.readouterr().out
    assert "bad is not compared: " in said and "worth having" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{}/int8.tflite"], "one model alone"),
        (["{}/int8.tflite", "{}/nothing.tflite"], "nothing.tflite"),
        (["{}/int8.tflite", "{}/narrow.onnx", "--emulated=0"], "must be 1 or more"),
        (["{}/int8.tflite", "{}/narrow.onnx", "--dataset={}/no.npz"], "no.npz"),
        (["{}/int8.tflite", "{}/narrow.onnx", "--toolchain=gnu", "--toolchain=zig"], "one compiler"),
    ],
)
def test_mistakes_end_with_one_error(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["variants", *(word.format(folder) for word in words), f"--board={BOARD}"]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
