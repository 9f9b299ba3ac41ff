"""The committed models are what their README says: operators, multiply-accumulates, accuracy by LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcu_harness.model.reference import run_reference
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.scenario.discovery import is_scenario_file
from mcu_harness.scenario.scenario import InputSpec, load_scenario

REPOSITORY = Path(__file__).parents[3]
SCENARIOS = REPOSITORY / "scenarios"
MODELS = SCENARIOS / "models"
CONVERTED = REPOSITORY / "tests" / "data" / "converted"

# Multiply-accumulates of the networks in MLPerf Tiny's shapes, from their papers; digits' counted by hand:
# 8*8*8*9 + 4*4*16*72 + 64*10.
MACS = {
    "keyword_spotting": 2_656_768,
    "image_classification": 12_501_632,
    "visual_wake_words": 7_489_664,
    "anomaly_detection": 264_192,
    "digits": 23_680,
}
# Committed samples, and how many of them LiteRT's reference kernels get right.
CORRECT = {
    "keyword_spotting": (60, 59),
    "image_classification": (30, 30),
    "visual_wake_words": (24, 21),
    "digits": (360, 357),
}


@pytest.mark.parametrize("name", MACS)
def test_scenario_model_has_the_published_multiply_accumulates(name: str) -> None:
    assert model_graph(MODELS / f"{name}.tflite").macs == MACS[name]


@pytest.mark.parametrize("name", CORRECT)
def test_scenario_model_classifies_its_held_out_samples_as_documented(name: str) -> None:
    path = MODELS / f"{name}.tflite"
    samples = samples_for(path, InputSpec(file=MODELS / f"{name}_test.npz", count=None))
    assert samples.labels is not None
    (scores,) = run_reference(path, model_graph(path), samples.inputs).outputs
    right = int(np.sum(np.argmax(scores.reshape(samples.count, -1), axis=1) == samples.labels))
    assert (samples.count, right) == CORRECT[name]


def test_autoencoder_copies_healthy_sound_better_than_faulty_sound() -> None:
    path, file = MODELS / "anomaly_detection.tflite", MODELS / "anomaly_detection_test.npz"
    graph = model_graph(path)
    samples = samples_for(path, InputSpec(file=file, count=None))
    assert samples.labels is None, "its outputs are no class scores"
    (copies,) = run_reference(path, graph, samples.inputs).outputs

    def decibels(values: np.ndarray, tensor: int) -> np.ndarray:
        quantization = graph.tensors[tensor].quantization
        assert quantization is not None
        return (values.reshape(24, 640).astype(float) - quantization.zero_points[0]) * quantization.scales[0]

    errors = ((decibels(copies, graph.outputs[0]) - decibels(samples.inputs[0], graph.inputs[0])) ** 2).mean(axis=1)
    faulty = np.load(file)["anomalous"] == 1
    pairs = errors[faulty][:, None] > errors[~faulty][None, :]
    assert pairs.mean() > 0.75  # area under the ROC curve


@pytest.mark.parametrize("name", MACS)
def test_every_layer_of_a_scenario_model_is_alive(name: str) -> None:
    """No layer writes the same for every sample, one value alone, or mostly saturated values."""
    path = MODELS / f"{name}.tflite"
    graph = model_graph(path)
    samples = samples_for(path, InputSpec(file=MODELS / f"{name}_test.npz", count=8))
    tensors = run_reference(path, graph, samples.inputs, all_tensors=True).tensors
    for layer in graph.layers:
        values = tensors[layer.outputs[0]]
        assert len(np.unique(values)) > min(15, values.size // 2), layer.name
        assert np.any(values != values[:1]), layer.name
        assert np.mean(values == 127) < 0.1, layer.name


@pytest.mark.parametrize("path", sorted(CONVERTED.glob("*.tflite")), ids=lambda path: path.stem)
def test_outputs_of_a_converted_model_vary_with_its_inputs(path: Path) -> None:
    assert path.stat().st_size < 50_000
    graph = model_graph(path)
    outputs = run_reference(path, graph, samples_for(path, InputSpec(seed=1, count=8)).inputs).outputs
    for output in outputs:
        assert len(np.unique(output)) > 15
        assert np.any(output != output[:1])


def test_converted_models_and_scenarios_together_cover_what_the_converter_emits() -> None:
    """RELU, RELU6 and SQUEEZE are missing: the converter fuses the first two and writes RESHAPE for the third."""
    paths = [*CONVERTED.glob("*.tflite"), *MODELS.glob("*.tflite")]
    found = {layer.operator for path in paths for layer in model_graph(path).layers}
    assert found >= {
        "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D",
        "RESHAPE", "EXPAND_DIMS", "SOFTMAX", "LOGISTIC", "TANH", "LEAKY_RELU", "HARD_SWISH", "MEAN", "PAD", "PADV2",
        "CONCATENATION", "SPLIT", "TRANSPOSE", "STRIDED_SLICE", "RESIZE_NEAREST_NEIGHBOR", "QUANTIZE", "DEQUANTIZE",
    }  # fmt: skip


def test_every_scenario_file_loads_and_its_samples_fit_its_model() -> None:
    files = sorted(path for path in SCENARIOS.glob("*.toml") if is_scenario_file(path))
    assert {path.stem for path in files} >= set(MACS)
    for file in files:
        scenario = load_scenario(file)
        for model in scenario.models:
            samples = samples_for(model, scenario.inputs)
            assert samples.count >= 2, file.name
            assert ("accuracy" in scenario.budgets) == (samples.labels is not None), file.name
