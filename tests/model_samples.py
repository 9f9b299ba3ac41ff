"""A few instances of every supported operator, on one image-like input: for tests that must hold for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model_builder import ModelBuilder

_Sample = Callable[[ModelBuilder, int], list[int]]


def _binary(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        row = b.constant(np.array([[-2, -1, 0, 90]], np.int8), 0.1, 3)
        other = b.input(b.shape(x), 0.02, 11)
        twice = [] if code == "SUB" else [b.binary(code, x, x)]
        return [*twice, b.binary(code, x, other), b.binary(code, row, x, activation="RELU")]

    return build


def _pool(kind: str) -> _Sample:
    return lambda b, x: [
        b.pool(x, kind),
        b.pool(x, kind, kernel=(3, 2), stride=(2, 1), padding="SAME", activation="RELU6"),
    ]


SAMPLES: dict[str, _Sample] = {
    "CONV_2D": lambda b, x: [
        b.conv_2d(x, channels=5, stride=(2, 1), activation="RELU"),
        b.conv_2d(x, channels=6, kernel=(3, 2), dilation=(2, 2), padding="VALID", per_channel=False),
    ],
    "DEPTHWISE_CONV_2D": lambda b, x: [
        b.depthwise_conv_2d(x, multiplier=2, stride=(2, 2), activation="RELU6"),
        b.depthwise_conv_2d(x, per_channel=False, padding="VALID", bias=False),
    ],
    "FULLY_CONNECTED": lambda b, x: [
        b.fully_connected(x, units=5),
        b.fully_connected(x, units=7, keep_num_dims=True, per_channel=True, bias=False),
    ],
    "ADD": _binary("ADD"),
    "SUB": _binary("SUB"),
    "MUL": _binary("MUL"),
    "AVERAGE_POOL_2D": _pool("AVERAGE"),
    "MAX_POOL_2D": _pool("MAX"),
    "RESHAPE": lambda b, x: [b.reshape(x, (4, -1))],
    "SQUEEZE": lambda b, x: [b.squeeze(x, [0]), b.squeeze(b.pool(x, kernel=(9, 1), stride=(1, 1)), [0, 1])],
    "EXPAND_DIMS": lambda b, x: [b.expand_dims(x, -1), b.expand_dims(x, 1)],
    "SOFTMAX": lambda b, x: [b.softmax(x), b.softmax(x, 0.7)],
    "LOGISTIC": lambda b, x: [b.logistic(x)],
    "TANH": lambda b, x: [b.tanh(x)],
    "RELU": lambda b, x: [b.unary("RELU", x)],
    "RELU6": lambda b, x: [b.unary("RELU6", x)],
    "LEAKY_RELU": lambda b, x: [b.unary("LEAKY_RELU", x, alpha=0.2)],
    "HARD_SWISH": lambda b, x: [b.unary("HARD_SWISH", x)],
    "MEAN": lambda b, x: [b.mean(x, [1, 2]), b.mean(x, [-1], keep_dims=True, scale=0.03), b.mean(x, [0, 3])],
    "PAD": lambda b, x: [b.pad(x, [(0, 0), (1, 2), (3, 0), (0, 0)])],
    "PADV2": lambda b, x: [b.pad(x, [(0, 0), (1, 2), (3, 0), (0, 1)], value=7)],
    "CONCATENATION": lambda b, x: [b.concatenation([x, x], -1), b.concatenation([x, x, x], 1)],
    "SPLIT": lambda b, x: [*b.split(x, -1, 2), *b.split(x, 1, 3)],
    "TRANSPOSE": lambda b, x: [b.transpose(x, [0, 3, 1, 2])],
    "STRIDED_SLICE": lambda b, x: [b.strided_slice(x, [0, 1, -1, 0], [1, 9, -9, 4], [1, 2, -1, 3])],
    "RESIZE_NEAREST_NEIGHBOR": lambda b, x: [
        b.resize_nearest_neighbor(x, (13, 5)),
        b.resize_nearest_neighbor(x, (20, 20), half_pixel_centers=True),
        b.resize_nearest_neighbor(x, (20, 20), align_corners=True),
    ],
    "QUANTIZE": lambda b, x: [b.unary("QUANTIZE", x), b.unary("QUANTIZE", b.input((1, 5), dtype="float32"))],
    "DEQUANTIZE": lambda b, x: [b.dequantize(x)],
}


def sample(operator: str, seed: int = 0) -> ModelBuilder:
    """A model with the instances of one operator side by side, all of their outputs model outputs."""
    builder = ModelBuilder(seed)
    builder.output(*SAMPLES[operator](builder, builder.input((1, 9, 8, 4))))
    return builder


def everything(seed: int = 0) -> ModelBuilder:
    """All samples in one model."""
    builder = ModelBuilder(seed)
    x = builder.input((1, 9, 8, 4))
    for build in SAMPLES.values():
        builder.output(*build(builder, x))
    return builder
