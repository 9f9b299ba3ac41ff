"""What quantisation cost: figures against the definition, on models whose float form is run by its own library."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from float_models import calibration_file, float_score, float_tflite
from mcu_harness.model.faithfulness import Faithfulness, faithfulness, sqnr_db
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.int8_model import int8_model
from mcu_harness.scenario.quantize import QuantizeSpec

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))


def run(content: bytes, samples: np.ndarray, *, floats: bool) -> np.ndarray:
    litert = interpreter.Interpreter(
        model_content=content, experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF
    )
    litert.allocate_tensors()
    given, got = litert.get_input_details()[0], litert.get_output_details()[0]
    found = []
    for sample in samples:
        if not floats:
            scale, point = given["quantization"]
            sample = np.clip(np.round(sample / scale) + point, -128, 127).astype(np.int8)
        litert.set_tensor(given["index"], sample)
        litert.invoke()
        values = litert.get_tensor(got["index"])
        found.append(values if floats else (values.astype(float) - got["quantization"][1]) * got["quantization"][0])
    return np.stack(found)


def test_figures_are_those_of_their_definition(tmp_path: Path) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    spec = QuantizeSpec(calibration_file(tmp_path / "c.npz"))
    assert spec.calibration is not None
    conversion = int8_model(model, spec)
    with np.load(spec.calibration) as file:
        samples = file["inputs"][:, np.newaxis]
    exact = run(model.read_bytes(), samples, floats=True)
    got = run(conversion.model.read_bytes(), samples, floats=False)
    labels = exact.reshape(len(samples), -1).argmax(1)
    labels[:5] = (labels[:5] + 1) % 5  # the float model is wrong on five of 32
    np.savez(tmp_path / "test.npz", inputs=samples[:, 0], labels=labels)
    found = faithfulness(conversion, tmp_path / "test.npz", spec.calibration)
    assert isinstance(found, Faithfulness)
    assert found.samples == 32 and found.source == "inputs"
    ratio = 10 * math.log10(np.sum(exact.astype(float) ** 2) / np.sum((exact - got) ** 2))
    assert found.sqnr_db == pytest.approx(ratio, abs=0.01)
    picks = got.reshape(32, -1).argmax(1)
    assert found.original_accuracy == pytest.approx(27 / 32)
    assert found.accuracy == pytest.approx(np.mean(picks == labels))
    assert found.agreement == pytest.approx(np.mean(picks == exact.reshape(32, -1).argmax(1)))
    assert found.accuracy_drop == pytest.approx(27 / 32 - np.mean(picks == labels))
    graph = import_tflite(conversion.model)
    assert set(found.layers) == {k for k, layer in enumerate(graph.layers)}
    assert found.layers[3] == pytest.approx(ratio, abs=1.5)  # of the last layer, on the first 16 samples


def test_accuracy_of_a_score_is_told_by_the_threshold_and_not_by_the_largest_of_one(tmp_path: Path) -> None:
    model = float_score().write(tmp_path / "net.tflite")
    samples = np.random.default_rng(1).normal(size=(32, 1, 6)).astype(np.float32)
    exact = run(model.read_bytes(), samples, floats=True).reshape(-1)
    np.savez(tmp_path / "test.npz", inputs=samples[:, 0], labels=(exact > 0.4).astype(np.int64))
    np.save(tmp_path / "c.npy", samples[:, 0])
    conversion = int8_model(model, QuantizeSpec(tmp_path / "c.npy"))
    found = faithfulness(conversion, tmp_path / "test.npz", None, threshold=0.4)
    assert isinstance(found, Faithfulness)
    assert found.original_accuracy == 1.0
    got = run(conversion.model.read_bytes(), samples, floats=False).reshape(-1)
    assert found.accuracy == pytest.approx(np.mean((got > 0.4) == (exact > 0.4)))


def test_a_layer_that_was_quantised_badly_is_the_worst(tmp_path: Path) -> None:
    """The filter of the dense layer has one value that takes up all of its scale."""
    builder = float_tflite()
    dense = next(operator for operator in builder.operators if operator.code == "FULLY_CONNECTED")
    weights = builder.tensors[dense.inputs[1]].data
    assert weights is not None
    weights[:, 0] = 40.0
    model = builder.write(tmp_path / "net.tflite")
    conversion = int8_model(model, QuantizeSpec(calibration_file(tmp_path / "c.npz")))
    found = faithfulness(conversion, None, tmp_path / "c.npz")
    assert isinstance(found, Faithfulness)
    assert found.source == "calibration samples" and found.accuracy is None and found.accuracy_drop is None
    assert found.worst_layer is not None
    assert import_tflite(conversion.model).layers[found.worst_layer].operator in ("FULLY_CONNECTED", "SOFTMAX")
    assert found.layers[2] < found.layers[1] - 3


def test_what_cannot_be_compared_says_why(tmp_path: Path, small_model: Path) -> None:
    nothing = faithfulness(int8_model(small_model, QuantizeSpec()), None, None)
    assert nothing == "the model is int8 from the start: there is no float model to compare it with"
    model = float_tflite().write(tmp_path / "net.tflite")
    conversion = int8_model(model, QuantizeSpec(calibration_file(tmp_path / "c.npz")))
    assert "no samples of real data" in str(faithfulness(conversion, None, None))
    broken = replace(conversion, original=tmp_path / "c.npz")
    assert "cannot be compared with" in str(faithfulness(broken, None, tmp_path / "c.npz"))


@pytest.mark.parametrize(
    ("exact", "got", "expected"),
    [([3.0, 4.0], [3.0, 4.5], 20.0), ([1.0], [1.0], None), ([0.0], [1.0], None), ([1.0], [2.0], 0.0)],
)
def test_the_ratio_in_decibels(exact: list[float], got: list[float], expected: float | None) -> None:
    found = sqnr_db(np.array(exact), np.array(got))
    assert found == (expected if expected is None else pytest.approx(expected))


def test_an_onnx_model_is_compared_layer_by_layer_in_its_own_layout(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from onnx_cases import CASES
    from onnx_models import OnnxBuilder

    builder = OnnxBuilder(seed=2)
    CASES["residual_blocks"](builder)
    samples = calibration_file(tmp_path / "c.npz", shape=(3, 12, 12))
    conversion = int8_model(builder.write(tmp_path / "net.onnx"), QuantizeSpec(samples))
    found = faithfulness(conversion, None, samples)
    assert isinstance(found, Faithfulness)
    layers = import_tflite(conversion.model).layers
    compared = {layers[k].operator for k in found.layers}
    assert {"CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"} <= compared
    assert min(found.layers.values()) > 25, "a layout that was mixed up would be near 0 dB"
    assert found.sqnr_db is not None and found.sqnr_db > 25
