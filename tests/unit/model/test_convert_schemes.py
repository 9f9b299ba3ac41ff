"""Models with other numbers than int8: 16x8 by LiteRT's quantiser, and weights of 4 bits, of float and of int8 models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from float_models import calibration_file, float_tflite
from mcu_harness.base.errors import ModelError
from mcu_harness.model.convert.dequantised import dequantised
from mcu_harness.model.convert.int4_weights import with_int4_weights
from mcu_harness.model.convert.refusal import Refusal
from mcu_harness.model.convert.tflite_file import TfliteFile
from mcu_harness.model.faithfulness import faithfulness
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.int8_model import int8_model
from mcu_harness.model.reference import run_reference
from mcu_harness.scenario.quantize import QuantizeSpec
from model_builder import ModelBuilder


@pytest.fixture
def spec(tmp_path: Path) -> QuantizeSpec:
    return QuantizeSpec(calibration_file(tmp_path / "c.npz"))


def sqnr(path: Path, spec: QuantizeSpec) -> float:
    found = faithfulness(int8_model(path, spec), None, spec.calibration)
    assert not isinstance(found, str) and found.sqnr_db is not None
    return found.sqnr_db


def graph_of(content: bytes, tmp_path: Path) -> Graph:
    path = tmp_path / "read.tflite"
    path.write_bytes(content)
    return import_tflite(path)


def real(graph: Graph, index: int) -> np.ndarray:
    """What the numbers of a constant stand for."""
    tensor = graph.tensors[index]
    assert tensor.data is not None and tensor.quantization is not None
    scales = np.asarray(tensor.quantization.scales)
    if len(scales) > 1:
        shape = [1] * tensor.data.ndim
        shape[tensor.quantization.axis] = len(scales)
        scales = scales.reshape(shape)
    return np.asarray(tensor.data.astype(np.float64) * scales)


def test_16x8_of_a_float_model_is_nearer_to_it_than_int8(tmp_path: Path, spec: QuantizeSpec) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    wide = replace(spec, scheme="16x8")
    graph = import_tflite(int8_model(model, wide).model)
    layers = [layer for layer in graph.layers if layer.operator in ("CONV_2D", "FULLY_CONNECTED")]
    assert [[graph.tensors[i].dtype for i in layer.inputs] for layer in layers] == [["int16", "int8", "int64"]] * 2
    assert {graph.tensors[i].dtype for i in (*graph.inputs, *graph.outputs)} == {"int16"}
    assert sqnr(model, wide) > sqnr(model, spec) + 3


@pytest.mark.parametrize("kind", ["conv", "depthwise", "dense"])
@pytest.mark.parametrize("per_channel", [True, False])
def test_weights_of_4_bits_are_as_near_as_their_scale_allows_and_biases_follow(
    tmp_path: Path, kind: str, per_channel: bool
) -> None:
    builder = ModelBuilder(seed=3)
    if kind == "dense":
        x = builder.fully_connected(builder.input((1, 13)), units=5, per_channel=per_channel)
    else:
        make = builder.conv_2d if kind == "conv" else builder.depthwise_conv_2d
        shape: dict[str, Any] = {"channels": 5} if kind == "conv" else {"multiplier": 1}
        x = make(builder.input((1, 6, 6, 5)), per_channel=per_channel, **shape)
    builder.output(x)
    content = builder.build()
    made, layers, weights = with_int4_weights(content)
    before, after = graph_of(content, tmp_path), graph_of(made, tmp_path)
    wide, narrow = real(before, before.layers[0].inputs[1]), real(after, after.layers[0].inputs[1])
    numbers = after.tensors[after.layers[0].inputs[1]].data
    assert numbers is not None and np.abs(numbers).max() == 7 and (layers, weights) == (1, numbers.size)
    axis = {"conv": (1, 2, 3), "depthwise": (0, 1, 2), "dense": (1,)}[kind] if per_channel else None
    reach = np.abs(wide).max(axis=axis, keepdims=True)
    nearest = np.clip(np.round(wide / reach * 7), -7, 7) * reach / 7
    assert ((narrow - wide) ** 2).sum() <= ((nearest - wide) ** 2).sum()
    assert np.abs(narrow - wide).max() < 0.5 * reach.max()
    biases = [real(graph, graph.layers[0].inputs[2]) for graph in (before, after)]
    step = np.max(after.tensors[after.layers[0].inputs[2]].quantization.scales)  # type: ignore[union-attr]
    np.testing.assert_allclose(biases[1], biases[0], atol=step / 2 + 1e-9)
    assert len(made) < len(content)


def test_layers_that_share_weights_share_them_still_and_each_keeps_its_bias(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=3)
    a, b = builder.input((1, 64)), builder.input((1, 64))
    first = builder.fully_connected(a, units=32)
    filters, bias = builder.operators[-1].inputs[1:]
    builder.output(first)
    out = builder.tensor((1, 32), 0.4, 3)
    builder.output(
        builder.operator("FULLY_CONNECTED", [b, filters, bias], out, fused_activation="NONE", keep_num_dims=False)
    )
    content = builder.build()
    made, layers, weights = with_int4_weights(content)
    graph = graph_of(made, tmp_path)
    assert graph.layers[0].inputs[1] == graph.layers[1].inputs[1] and (layers, weights) == (2, 32 * 64)
    given = [np.random.default_rng(1).integers(-128, 128, (8, 1, 64)).astype(np.int8) for _ in range(2)]
    path = tmp_path / "read.tflite"
    narrow = run_reference(path, graph, given).outputs
    wide = run_reference(path, graph_of(content, tmp_path), given).outputs
    for got, exact in zip(narrow, wide, strict=True):
        noise = np.sum((got.astype(float) - exact) ** 2)
        assert noise < 0.05 * np.sum((exact.astype(float) - exact.mean()) ** 2)


def clipped_by_its_range() -> ModelBuilder:
    """A layer without ReLU whose outputs cannot be below 0, and a QUANTIZE that cuts off what the next layer may not see."""
    builder = ModelBuilder(seed=4)
    x = builder.conv_2d(builder.input((1, 6, 6, 3)), channels=4, activation="NONE")
    builder.tensors[x].zero_points = (-128,)
    x = builder.conv_2d(x, channels=4, activation="NONE")
    x = builder.quantize(x, "int8", scale=6 / 255, zero_point=-128)
    builder.output(builder.conv_2d(x, channels=2))
    return builder


def test_the_float_form_of_an_int8_model_clips_where_its_ranges_do(tmp_path: Path, spec: QuantizeSpec) -> None:
    content = clipped_by_its_range().build()
    path = tmp_path / "int8.tflite"
    path.write_bytes(content)
    file = TfliteFile(dequantised(content))
    kinds = [
        (file.kind(operator), getattr(operator.builtinOptions, "fusedActivationFunction", None))
        for operator in file.graph.operators
    ]
    assert kinds == [("CONV_2D", 1), ("CONV_2D", 0), ("RELU6", None), ("CONV_2D", 0)]  # 1 is RELU
    samples = replace(spec, calibration=calibration_file(tmp_path / "i.npz", shape=(6, 6, 3)))
    assert sqnr(path, replace(samples, scheme="16x8")) > 35  # an int8 activation alone is above that
    conversion = int8_model(path, replace(samples, scheme="16x8"))
    assert conversion.original_is == "the int8 model, computed in float"


def test_onnx_samples_lie_as_the_model_has_them(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from onnx_models import OnnxBuilder

    b = OnnxBuilder(1)
    weights = b.constant(b.rng.normal(size=(4, 2, 3, 3)) / 4)
    b.output(b.node("Conv", b.input("image", (1, 2, 6, 5)), weights, b.constant(np.zeros(4)), pads=[1] * 4))
    model = b.write(tmp_path / "net.onnx")
    spec = QuantizeSpec(calibration_file(tmp_path / "c.npz", shape=(2, 6, 5)))
    assert sqnr(model, replace(spec, scheme="16x8")) > sqnr(model, spec) + 3
    assert 15 < sqnr(model, replace(spec, scheme="int4")) < sqnr(model, spec)


def test_what_has_no_such_form_is_refused(tmp_path: Path, spec: QuantizeSpec) -> None:
    builder = ModelBuilder(seed=1)
    builder.output(builder.softmax(builder.input((1, 8))))
    with pytest.raises(Refusal, match="no layer has int8 weights"):
        with_int4_weights(builder.build())
    builder = ModelBuilder(seed=1)
    builder.output(builder.lstm(builder.input((1, 3, 4)), 4))
    with pytest.raises(Refusal, match="UNIDIRECTIONAL_SEQUENCE_LSTM keeps a state"):
        dequantised(builder.build())
    with pytest.raises(Refusal, match="damaged"):
        dequantised(b"\x10\x00\x00\x00TFL3" + bytes(40))
    path = tmp_path / "int8.tflite"
    path.write_bytes(clipped_by_its_range().build())
    with pytest.raises(ModelError, match=r"int8\.tflite: .*no calibration samples"):
        int8_model(path, QuantizeSpec(scheme="16x8"))
