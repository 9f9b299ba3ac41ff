"""Keras models and SavedModels to int8 .tflite, as good as what TensorFlow's own converter makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import quantized
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.int8_model import int8_model
from mcu_harness.model.reference import run_reference
from mcu_harness.model.shrunk import shrunk_model
from mcu_harness.scenario.quantize import QuantizeSpec

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("keras")
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)), layers.Conv2D(8, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
            layers.DepthwiseConv2D(3, strides=2, padding="same"), layers.Flatten(), layers.Dense(10, activation="softmax"),
        ]
    )  # fmt: skip
    model.save(folder / "net.keras")
    model.export(folder / "saved", verbose=False)
    samples = np.random.default_rng(0).uniform(0, 1, size=(60, 8, 8, 1)).astype(np.float32)
    np.savez(folder / "c.npz", inputs=samples)
    return folder, model


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["net.keras", "saved"])
def test_outputs_are_those_of_tensorflows_own_int8_model(made: tuple[Path, Any], name: str, tmp_path: Path) -> None:
    folder, model = made
    conversion = int8_model(folder / name, QuantizeSpec(folder / "c.npz"))
    with np.load(folder / "c.npz") as file:
        samples = file["inputs"]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[np.newaxis]] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (tmp_path / "theirs.tflite").write_bytes(converter.convert())
    outputs = []
    for path in (conversion.model, tmp_path / "theirs.tflite"):
        graph = import_tflite(path)
        given = quantized(samples[:, np.newaxis], graph.tensors[graph.inputs[0]])
        outputs.append(run_reference(path, graph, [given]).outputs[0].astype(int))
    assert np.abs(outputs[0] - outputs[1]).max() <= 1
    assert np.mean(outputs[0].argmax(-1) == outputs[1].argmax(-1)) >= 0.995


@pytest.mark.parametrize("name", ["net.keras", "saved", "net.tflite"])
def test_channels_are_taken_out_of_what_tensorflow_makes(name: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    layers = tf.keras.layers
    net = [tf.keras.Input((8, 8, 1)), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.DepthwiseConv2D(3)]
    model = tf.keras.Sequential([*net, layers.GlobalAveragePooling2D(), layers.Dense(10, use_bias=False)])
    if name == "net.keras":
        model.save(tmp_path / name)
    elif name == "saved":
        model.export(tmp_path / name, verbose=False)
    else:  # with a free batch, as most are converted
        (tmp_path / name).write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    shrunk = shrunk_model(tmp_path / name, ["prune"], tmp_path / "o.onnx", QuantizeSpec(), lambda _: None)
    assert shrunk.parameters == (8 * 10 + 8 * 10 + 8 * 10, 4 * 10 + 4 * 10 + 4 * 10)
    assert any("8 -> 4 channels, 4 smallest" in line for line in shrunk.said)
    (given,) = onnx.load(tmp_path / "o.onnx").graph.input
    assert [size.dim_value for size in given.type.tensor_type.shape.dim] == [1, 8, 8, 1]


def test_a_damaged_file_gets_one_error(tmp_path: Path, made: tuple[Path, Any]) -> None:
    (tmp_path / "bad.keras").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ModelError, match=r"bad\.keras: not a \.keras file"):
        int8_model(tmp_path / "bad.keras", QuantizeSpec(made[0] / "c.npz"))
    content = (made[0] / "net.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(content.replace(b"Conv2D", b"Conv9D"))
    with pytest.raises(ModelError, match=r"cut\.keras: "):
        int8_model(tmp_path / "cut.keras", QuantizeSpec(made[0] / "c.npz"))


def test_custom_code_in_a_model_is_not_run(tmp_path: Path, made: tuple[Path, Any]) -> None:
    """A Lambda layer holds Python bytecode."""
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "lambda.keras")
    np.savez(tmp_path / "c.npz", inputs=np.ones((3, 4), np.float32))
    with pytest.raises(ModelError, match=r"lambda\.keras: TensorFlow cannot convert the model"):
        int8_model(tmp_path / "lambda.keras", QuantizeSpec(tmp_path / "c.npz"))
