"""What is taken out of a graph, counted by hand on networks of a few channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcu_harness.model.graph import Channels, Graph
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.simplify.simplified import simplified
from mcu_harness.model.simplify.spans import spans_of
from model_builder import ModelBuilder


def convolution(
    builder: ModelBuilder, x: int, filters: np.ndarray, bias: list[int], *, padding: str = "SAME", zero_point: int = 0
) -> int:
    """With a scale of 1 / 64 from sums to outputs, which are not clamped further."""
    handle = builder.constant(filters.astype(np.int8), 1 / 64)
    biases = builder.constant(np.array(bias, np.int32), 1 / 64)
    n, h, w, _ = builder.shape(x)
    lost = (filters.shape[1] - 1, filters.shape[2] - 1) if padding == "VALID" else (0, 0)
    out = builder.tensor((n, h - lost[0], w - lost[1], len(filters)), 1.0, zero_point)
    return builder.operator(
        "CONV_2D", [x, handle, biases], out, stride_h=1, stride_w=1, padding=padding, fused_activation="NONE"
    )


def graph_of(builder: ModelBuilder, folder: Path) -> Graph:
    return import_tflite(builder.write(folder / "m.tflite"))


def two_convolutions(folder: Path, *, kernel: int, padding: str, constant: int, zero_point: int = 0) -> Graph:
    """1x1 to two channels, of which the second is always `constant`, then `kernel` x `kernel` to one."""
    builder = ModelBuilder()
    x = builder.input((1, 5, 5, 1), scale=1.0, zero_point=0)
    filters = np.array([64, 0]).reshape(2, 1, 1, 1)
    x = convolution(builder, x, filters, [0, 64 * (constant - zero_point)], zero_point=zero_point)
    weights = np.stack([np.full((kernel, kernel), 3), np.full((kernel, kernel), 5)], axis=-1)[None]
    builder.output(convolution(builder, x, weights, [1000], padding=padding))
    return graph_of(builder, folder)


def test_a_constant_moves_into_the_bias(tmp_path: Path) -> None:
    graph = simplified(two_convolutions(tmp_path, kernel=3, padding="VALID", constant=7))
    first, second = graph.layers
    assert graph.tensors[first.outputs[0]].channels == Channels((0,), 2)
    assert graph.tensors[first.outputs[0]].shape == (1, 5, 5, 1)
    assert graph.tensors[second.inputs[1]].shape == (1, 3, 3, 1)
    bias = graph.tensors[second.inputs[2]].data
    assert bias is not None and bias.tolist() == [1000 + 9 * 5 * 7]
    assert (first.macs, first.spared_macs) == (25, 25)
    assert (second.macs, second.spared_macs) == (9 * 9, 9 * 9)
    assert (graph.macs, graph.spared_macs) == (106, 106)


@pytest.mark.parametrize(("padding", "constant", "zero_point", "left"), [
    ("SAME", 7, 0, 2),  # missing beyond the border: not the same for every position
    ("SAME", -9, -9, 1),  # what padding is
    ("VALID", 7, -9, 1),
])  # fmt: skip
def test_padding_keeps_constants_that_it_is_not(
    padding: str, constant: int, zero_point: int, left: int, tmp_path: Path
) -> None:
    graph = simplified(two_convolutions(tmp_path, kernel=3, padding=padding, constant=constant, zero_point=zero_point))
    assert graph.tensors[graph.layers[0].outputs[0]].shape[3] == left


def test_channels_that_nothing_reads_are_not_computed_and_model_outputs_stay_whole(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 2), scale=1.0, zero_point=0)
    x = convolution(builder, x, np.arange(1, 7).reshape(3, 1, 1, 2), [0, 0, 0])
    x = builder.depthwise_conv_2d(x, kernel=(3, 3))
    x = builder.pool(x, "MAX")
    builder.output(convolution(builder, x, np.array([[0, 9, 0], [0, 0, 0]]).reshape(2, 1, 1, 3), [0, 3]))
    graph = simplified(graph_of(builder, tmp_path))
    shapes = [graph.tensors[layer.outputs[0]].shape for layer in graph.layers]
    assert shapes == [(1, 4, 4, 1), (1, 4, 4, 1), (1, 2, 2, 1), (1, 2, 2, 2)]
    assert [layer.index for layer in graph.layers] == [0, 1, 2, 3]
    kept = graph.tensors[graph.layers[0].outputs[0]].channels
    assert kept == Channels((1,), 3) and kept.removed == (0, 2)


def test_spans_are_the_ends_of_what_channels_can_be(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 1), scale=1.0, zero_point=-28)  # reals from -100 to 155
    x = convolution(builder, x, np.array([16, -32, 1]).reshape(3, 1, 1, 1), [64, 0, -64 * 100])
    builder.output(x)
    spans = spans_of(graph_of(builder, tmp_path))
    found = spans[builder.outputs[0]]
    assert found.least.tolist() == [
        -24,
        -78,
        -102,
    ]  # (-100 * 16 + 64) / 64, -155 * 32 / 64 = -77.5, (-100 - 6400) / 64 = -101.6
    assert found.most.tolist() == [40, 50, -98]  # 39.75, 50, -97.6
    assert not found.constant.any()


def test_a_layer_that_nothing_reads_is_left_out(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4, 4, 2))
    builder.conv_2d(x, channels=4)
    builder.output(builder.conv_2d(x, channels=3, kernel=(1, 1)))
    graph = simplified(graph_of(builder, tmp_path))
    assert [(layer.index, layer.number, layer.symbol) for layer in graph.layers] == [(0, 1, "mcu_layer_00_conv_2d")]
    assert [layer.place for layer in graph.removed] == ["layer 00 CONV_2D"]
    assert graph.spared_macs == 16 * 4 * 2 * 9


def test_a_model_without_such_channels_stays_as_it_is(tmp_path: Path) -> None:
    builder = ModelBuilder(4)
    x = builder.conv_2d(builder.input((1, 6, 6, 3)), channels=5)
    builder.output(builder.fully_connected(builder.reshape(x, (1, -1)), units=4))
    graph = graph_of(builder, tmp_path)
    assert simplified(graph) == graph
