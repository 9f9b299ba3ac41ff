"""The zoo's nets that come as ONNX: written node by node with the onnx package, float, with fixed seeds; classifiers are trained on digits.

A file of samples lies beside them: the harness quantises the nets with it when their scenarios run. The detector has random weights.

Run: python scenarios/zoo/make_onnx.py [NAME ...]   (needs numpy, onnx, torch and scikit-learn)
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch_run import trained

import data

HERE = Path(__file__).resolve().parent
SEED, SAMPLES, CLASSES, EPOCHS = 12, 16, 10, 30


class Graph:
    """A net under construction, channels second; a method an operator, each gives the name of what it writes."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.rng = np.random.default_rng(SEED)
        self.shape = tuple(shape)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: Any) -> str:
        array = np.asarray(values)
        name = f"constant_{len(self.constants)}"
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def conv(self, x: str, before: int, after: int, kernel: int = 1, stride: int = 1, group: int = 1) -> str:
        shape = (after, before // group, kernel, kernel)
        weights = self.rng.normal(size=shape) * math.sqrt(2 / math.prod(shape[1:]))
        inputs = (x, self.constant(weights), self.constant(self.rng.normal(size=after) * 0.1))
        return self.node("Conv", *inputs, strides=[stride] * 2, pads=[kernel // 2] * 4, group=group)

    def relu(self, x: str) -> str:
        return self.node("Relu", x)

    def head(self, x: str, channels: int, classes: int) -> str:
        """The mean over the picture, a dense layer and softmax."""
        x = self.node("Flatten", self.node("GlobalAveragePool", x), axis=1)
        weights = self.constant(self.rng.normal(size=(classes, channels)) / math.sqrt(channels))
        x = self.node("Gemm", x, weights, self.constant(np.zeros(classes)), transB=1)
        return self.node("Softmax", x, axis=1)

    def learn(self, scores: str) -> None:
        """Train all weights on digits of the net's size, and keep what tests and calibrates it, for nets of that size together."""
        size = self.shape[1]
        halves = data.digits(size)
        self.constants = trained(self.nodes, self.constants, "image", scores, data.batches(halves[0], EPOCHS))
        data.write(f"digits_{size}", halves, calibration=True)

    def write(self, name: str, *outputs: str, samples: bool = False) -> None:
        """The file, and with `samples` random ones beside it."""
        given = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, *self.shape])
        made = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs]
        graph = helper.make_graph(self.nodes, name, [given], made, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(onnx.shape_inference.infer_shapes(model), HERE / f"{name}.onnx")
        if samples:
            made_up = self.rng.normal(size=(SAMPLES, *self.shape)).astype(np.float32)
            np.savez_compressed(HERE / f"{name}_samples.npz", inputs=np.round(made_up, 2).astype(np.float16))


def squeezenet() -> None:
    """Fire modules: a narrow 1x1 layer, then 1x1 and 3x3 side by side."""
    g = Graph((3, 32, 32))
    x, channels = g.node("MaxPool", g.relu(g.conv("image", 3, 12, 3, 2)), kernel_shape=[2, 2], strides=[2, 2]), 12
    for squeeze, expand in ((6, 12), (6, 12), (8, 16)):
        x = g.relu(g.conv(x, channels, squeeze))
        x = g.node("Concat", g.relu(g.conv(x, squeeze, expand)), g.relu(g.conv(x, squeeze, expand, 3)), axis=1)
        channels = 2 * expand
    scores = g.head(x, channels, CLASSES)
    g.learn(scores)
    g.write("squeezenet", scores)


def shufflenet_v2() -> None:
    """Half of the channels go past, and then the two halves are shuffled."""
    g = Graph((3, 32, 32))
    x, channels, size = (
        g.node("MaxPool", g.relu(g.conv("image", 3, 8, 3, 2)), kernel_shape=[2, 2], strides=[2, 2]),
        8,
        8,
    )
    for after in (16, 24):
        half = after // 2
        left = g.relu(g.conv(g.conv(x, channels, channels, 3, 2, channels), channels, half))
        right = g.relu(g.conv(x, channels, half))
        right = g.relu(g.conv(g.conv(right, half, half, 3, 2, half), half, half))
        x, channels, size = g.node("Concat", left, right, axis=1), after, size // 2
        x = shuffled(g, x, channels, size)
        first = g.node("Slice", x, g.constant(np.array([0])), g.constant(np.array([half])), g.constant(np.array([1])))
        second = g.node(
            "Slice", x, g.constant(np.array([half])), g.constant(np.array([after])), g.constant(np.array([1]))
        )
        second = g.relu(g.conv(second, half, half))
        second = g.relu(g.conv(g.conv(second, half, half, 3, 1, half), half, half))
        x = shuffled(g, g.node("Concat", first, second, axis=1), channels, size)
    scores = g.head(x, channels, CLASSES)
    g.learn(scores)
    g.write("shufflenet_v2", scores)


def shuffled(g: Graph, x: str, channels: int, size: int) -> str:
    x = g.node("Reshape", x, g.constant(np.array([1, 2, channels // 2, size, size])))
    x = g.node("Transpose", x, perm=[0, 2, 1, 3, 4])
    return g.node("Reshape", x, g.constant(np.array([1, channels, size, size])))


def nasnet_cell() -> None:
    """A normal cell: five pairs of separable layers and pools of two earlier states, added, and all put together."""
    g = Graph((3, 24, 24))
    width = 8
    before = g.relu(g.conv("image", 3, width, 3, 2))
    now = g.relu(g.conv(before, width, width, 3))

    def separable(x: str, kernel: int) -> str:
        return g.conv(g.conv(g.relu(x), width, width, kernel, 1, width), width, width)

    def pooled(x: str) -> str:
        return g.node("AveragePool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)

    pairs = (
        (separable(now, 3), now),
        (separable(before, 3), separable(now, 5)),
        (pooled(now), before),
        (pooled(before), pooled(before)),
        (separable(before, 5), separable(before, 3)),
    )
    x = g.node("Concat", before, *(g.node("Add", *pair) for pair in pairs), axis=1)
    scores = g.head(g.relu(x), 6 * width, CLASSES)
    g.learn(scores)
    g.write("nasnet_cell", scores)


def tiny_yolo() -> None:
    """A small detector with its decoding in the net: boxes in pixels, and scores, for each cell of a 4x4 grid."""
    g = Graph((3, 32, 32))
    x, channels = "image", 3
    for after in (8, 12, 16):
        x = g.node("LeakyRelu", g.conv(x, channels, after, 3), alpha=0.1)
        x, channels = g.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), after
    classes, cells, stride = 3, 4, 8.0
    x = g.node("Sigmoid", g.conv(x, channels, 5 + classes))
    parts = g.node("Split", x, g.constant(np.array([2, 2, 1 + classes])), axis=1)
    split = g.nodes[-1]
    del split.output[:]
    split.output.extend([f"{parts}_{k}" for k in range(3)])
    rows, columns = np.mgrid[0:cells, 0:cells]
    grid = np.stack([columns, rows])[np.newaxis] - 0.5
    centre = g.node(
        "Mul",
        g.node("Add", g.node("Mul", f"{parts}_0", g.constant(np.float32(2))), g.constant(grid)),
        g.constant(np.float32(stride)),
    )
    twice = g.node("Mul", f"{parts}_1", g.constant(np.float32(2)))
    anchors = np.array([10.0, 14.0]).reshape(1, 2, 1, 1)
    extent = g.node("Mul", g.node("Mul", twice, twice), g.constant(anchors))
    boxes = g.node("Concat", centre, extent, axis=1)
    g.write("tiny_yolo", boxes, f"{parts}_2", samples=True)


NETS = (squeezenet, shufflenet_v2, nasnet_cell, tiny_yolo)

if __name__ == "__main__":
    for make in NETS:
        if len(sys.argv) > 1 and make.__name__ not in sys.argv[1:]:
            continue
        make()
        print(f"{make.__name__}: {(HERE / f'{make.__name__}.onnx').stat().st_size:,} bytes")
