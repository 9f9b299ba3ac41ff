"""A few instances of every supported operator, on one image-like input: for tests that must hold for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model_builder import ModelBuilder
from model_file import DTYPES

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


def _like(b: ModelBuilder, x: int, code: str, shape: tuple[int, ...], *operands: object, **options: object) -> int:
    """An operator that keeps the quantisation of `x`; `operands` become int32 constants."""
    out = b.tensor(shape, b.tensors[x].scales[0], b.tensors[x].zero_points[0])
    return b.operator(code, [x, *(b.constant(np.array(value, np.int32)) for value in operands)], out, **options)


def _parts(
    b: ModelBuilder, x: int, code: str, shapes: list[tuple[int, ...]], *operands: object, **options: object
) -> list[int]:
    outs = [b.tensor(shape, b.tensors[x].scales[0], b.tensors[x].zero_points[0]) for shape in shapes]
    b.operator(code, [x, *(b.constant(np.array(value, np.int32)) for value in operands)], outs, **options)
    return outs


def _arg(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        found = []
        # Along the last axis of a shape with more channels than the input's four, so that there is more than four answers.
        wide = b.reshape(x, (1, 9, 2, 16))
        for values, axis, shape in ((x, 1, (1, 8, 4)), (x, -2, (1, 9, 4)), (wide, 3, (1, 9, 2))):
            operands = [values, b.constant(np.array(axis, np.int32))]
            found.append(b.operator(code, operands, b.tensor(shape, None, dtype="int32"), output_type=2))
        return found

    return build


def _positive(b: ModelBuilder, x: int) -> int:
    """`x` without what is zero or less: LiteRT stops at a divisor of zero and at roots of negative numbers."""
    return b.operator("MAXIMUM", [x, b.constant(np.array([-2], np.int8), 0.05, -3)], b.tensor(b.shape(x), 0.05, -3))


def _truths(b: ModelBuilder, x: int) -> int:
    zero = b.constant(np.array([3], np.int8), 0.05, -3)
    return b.operator("GREATER", [x, zero], b.tensor(b.shape(x), None, dtype="bool"))


def _compared(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        few = b.unary("RELU", x, scale=0.9)  # hardly any values, so that many are the same
        row = b.constant(np.array([[-2, -1, 0, 90]], np.int8), 0.05, -3)
        counted = [_cast(b, few, "int32"), _cast(b, b.unary("RELU", b.input(b.shape(x)), scale=0.9), "int32")]
        pairs = [(x, row), (few, b.unary("RELU", b.input(b.shape(x)), scale=0.7, zero_point=9)), counted]
        return [b.operator(code, list(pair), b.tensor(b.shape(x), None, dtype="bool")) for pair in pairs]

    return build


def _logical(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        row = b.constant(np.array([True, False, True, False]))
        others = (row, b.input(b.shape(x), dtype="bool"))
        return [b.operator(code, [_truths(b, x), other], b.tensor(b.shape(x), None, dtype="bool")) for other in others]

    return build


def _cast(b: ModelBuilder, x: int, kind: str) -> int:
    scale = 0.05 if kind in ("int8", "uint8", "int16") else None
    out = b.tensor(b.shape(x), scale, 0, dtype=kind)
    return b.operator("CAST", [x], out, in_data_type=DTYPES[b.tensors[x].dtype], out_data_type=DTYPES[kind])


def _extremum(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        row = b.constant(np.array([[-2, -1, 0, 90]], np.int8), 0.05, -3)
        return [
            b.operator(code, [x, b.input(b.shape(x))], b.tensor(b.shape(x), 0.05, -3)),
            b.operator(code, [row, x], b.tensor(b.shape(x), 0.05, -3)),
        ]

    return build


def _reduced(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        found = []
        n, h, w, c = b.shape(x)
        for axes, shape, keep in (([1], (n, w, c), False), ([-1], (n, h, w, 1), True), ([0, 2], (h, c), False)):
            found.append(b.operator(code, [x, b.constant(axes)], b.tensor(shape, 0.05, -3), keep_dims=keep))
        return found

    return build


def _streaming(b: ModelBuilder, x: int) -> list[int]:
    """What was read before an assignment and is used after it, and two readings of one variable."""
    n, h, w, c = b.shape(x)
    variable = b.variable(b.rng.integers(-128, 128, (n, 3, w, c)).astype(np.int8))
    before, again = (b.operator("READ_VARIABLE", [variable], b.tensor((n, 3, w, c), 0.05, -3)) for _ in range(2))
    both = b.concatenation([before, x], 1)
    b.operator("ASSIGN_VARIABLE", [variable, b.strided_slice(both, [0, h, 0, 0], [n, h + 3, w, c], [1, 1, 1, 1])], ())
    after = b.operator("READ_VARIABLE", [variable], b.tensor((n, 3, w, c), 0.05, -3))
    return [both, b.binary("ADD", before, after), again]


# Operators that one sample of any shape says nothing of, and the tests that they have instead.
def _counted(code: str) -> _Sample:
    """Of the places of largest values, divided by a constant."""

    def build(b: ModelBuilder, x: int) -> list[int]:
        n, h, w, _ = b.shape(x)
        places = b.operator("ARG_MAX", [x, b.constant(1)], b.tensor((n, w, 4), None, dtype="int32"), output_type=2)
        more = b.operator("SUB", [places, b.constant(h // 2)], b.tensor((n, w, 4), None, dtype="int32"))
        return [b.operator(code, [more, b.constant(3)], b.tensor((n, w, 4), None, dtype="int32"))]

    return build


def _any_or_all(code: str) -> _Sample:
    def build(b: ModelBuilder, x: int) -> list[int]:
        n, h, w, c = b.shape(x)
        limit = b.constant(np.array([100 if code == "REDUCE_ALL" else -100], np.int8), 0.05, -3)
        truths = b.operator("LESS", [x, limit], b.tensor((n, h, w, c), None, dtype="bool"))
        out = b.tensor((n, h, c), None, dtype="bool")
        return [b.operator(code, [truths, b.constant([2])], out, keep_dims=False)]

    return build


def _gathered_nd(b: ModelBuilder, x: int) -> list[int]:
    places = b.rng.integers(0, 3, (5, 3)).astype(np.int32) * np.array([0, 1, 1], np.int32)
    return [b.operator("GATHER_ND", [x, b.constant(places)], b._like(x, (5, b.shape(x)[3])))]


TESTED_ELSEWHERE = {
    "CUSTOM": "emulated/test_custom_operators.py",
    "TFLite_Detection_PostProcess": "firmware/test_detection_postprocess.py",
}

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
    "RESIZE_BILINEAR": lambda b, x: [
        _like(b, x, "RESIZE_BILINEAR", (1, 13, 5, 4), [13, 5]),
        _like(b, x, "RESIZE_BILINEAR", (1, 20, 3, 4), [20, 3], half_pixel_centers=True),
        _like(b, x, "RESIZE_BILINEAR", (1, 17, 16, 4), [17, 16], align_corners=True),
    ],
    "SLICE": lambda b, x: [_like(b, x, "SLICE", (1, 5, 3, 3), [0, 2, 1, 1], [1, 5, 3, -1])],
    "TILE": lambda b, x: [_like(b, x, "TILE", (2, 9, 24, 4), [2, 1, 3, 1])],
    "BROADCAST_TO": lambda b, x: [_like(b, x, "BROADCAST_TO", (3, 9, 8, 4), [3, 9, 8, 4])],
    "REVERSE_V2": lambda b, x: [_like(b, x, "REVERSE_V2", b.shape(x), [2])],
    "MIRROR_PAD": lambda b, x: [
        _like(b, x, "MIRROR_PAD", (1, 12, 15, 4), [[0, 0], [2, 1], [0, 7], [0, 0]], mode="REFLECT"),
        _like(b, x, "MIRROR_PAD", (1, 18, 8, 6), [[0, 0], [9, 0], [0, 0], [1, 1]], mode="SYMMETRIC"),
    ],
    "DEPTH_TO_SPACE": lambda b, x: [_like(b, x, "DEPTH_TO_SPACE", (1, 18, 16, 1), block_size=2)],
    "SPACE_TO_DEPTH": lambda b, x: [
        _like(b, b.pad(x, [(0, 0), (1, 0), (0, 0), (0, 0)]), "SPACE_TO_DEPTH", (1, 5, 4, 16), block_size=2)
    ],
    "SPACE_TO_BATCH_ND": lambda b, x: [
        _like(b, x, "SPACE_TO_BATCH_ND", (6, 4, 4, 4), [3, 2], [[2, 1], [0, 0]]),
        _like(b, x, "SPACE_TO_BATCH_ND", (4, 6, 4, 4), [2, 2], [[1, 2], [0, 0]]),
    ],
    "BATCH_TO_SPACE_ND": lambda b, x: [
        _like(b, b.reshape(x, (8, 3, 3, 4)), "BATCH_TO_SPACE_ND", (2, 5, 4, 4), [2, 2], [[0, 1], [1, 1]])
    ],
    "SPLIT_V": lambda b, x: _parts(
        b, x, "SPLIT_V", [(1, 2, 8, 4), (1, 6, 8, 4), (1, 1, 8, 4)], [2, -1, 1], 1, num_splits=3
    ),
    "PACK": lambda b, x: [
        b.operator("PACK", [x, b.input(b.shape(x))], b.tensor((1, 9, 2, 8, 4), 0.05, -3), axis=2, values_count=2),
        b.operator("PACK", [x, x, x], b.tensor((1, 9, 8, 4, 3), 0.05, -3), axis=-1, values_count=3),
    ],
    "UNPACK": lambda b, x: _parts(b, x, "UNPACK", [(1, 9, 8)] * 4, axis=3, num=4),
    "GATHER": lambda b, x: [
        _like(b, x, "GATHER", (1, 9, 3, 4), [7, 0, 7], axis=2),
        _like(b, x, "GATHER", (1, 9, 8, 2, 2), [[3, 1], [0, 0]], axis=-1),
    ],
    "READ_VARIABLE": _streaming,
    "ASSIGN_VARIABLE": _streaming,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lambda b, x: [
        b.lstm(b.reshape(x, (1, 9, 32)), 7),
        b.lstm(b.reshape(x, (6, 3, 16)), 5, time_major=True, clip=2.0),
    ],
    "TRANSPOSE_CONV": lambda b, x: [
        b.transpose_conv(x, channels=3, size=(18, 16)),
        b.transpose_conv(x, channels=2, size=(10, 17), kernel=(2, 3), stride=(1, 2), padding="VALID", bias=False),
    ],
    "SVDF": lambda b, x: [b.svdf(b.reshape(x, (1, 288)), 7), b.svdf(b.reshape(x, (2, 144)), 3, rank=2, memory=5)],
    "GATHER_ND": _gathered_nd,
    "FLOOR_DIV": _counted("FLOOR_DIV"),
    "FLOOR_MOD": _counted("FLOOR_MOD"),
    "REDUCE_ANY": _any_or_all("REDUCE_ANY"),
    "REDUCE_ALL": _any_or_all("REDUCE_ALL"),
    "ARG_MAX": _arg("ARG_MAX"),
    "ARG_MIN": _arg("ARG_MIN"),
    "MAXIMUM": _extremum("MAXIMUM"),
    "MINIMUM": _extremum("MINIMUM"),
    "SQUARED_DIFFERENCE": lambda b, x: [
        b.operator("SQUARED_DIFFERENCE", [x, b.input(b.shape(x), 0.03, 20)], b.tensor(b.shape(x), 0.2, -128)),
        b.operator("SQUARED_DIFFERENCE", [b.input((1, 1, 1, 4), 0.1, -9), x], b.tensor(b.shape(x), 0.4, -100)),
    ],
    "PRELU": lambda b, x: [
        b.operator(
            "PRELU", [x, b.constant(np.array([[[-9, 40, 3, 127]]], np.int8), 0.01, 4)], b.tensor(b.shape(x), 0.04, 7)
        )
    ],
    "REDUCE_MAX": _reduced("REDUCE_MAX"),
    "REDUCE_MIN": _reduced("REDUCE_MIN"),
    "SUM": _reduced("SUM"),
    "DIV": lambda b, x: [
        b.operator(
            "DIV", [x, b.constant(np.array([[-9, 40, 3, 127]], np.int8), 0.5, 4)], b.tensor(b.shape(x), 0.02, -9)
        ),
        b.operator(
            "DIV",
            [b.constant(np.array([90], np.int8), 0.5, 4), _positive(b, x)],
            b.tensor(b.shape(x), 2.0, -100),
            fused_activation="RELU",
        ),
    ],
    "BATCH_MATMUL": lambda b, x: [
        b.operator(
            "BATCH_MATMUL", [x, b.reshape(x, (9, 4, 8))], b.tensor((1, 9, 8, 8), 0.4, 5), adj_x=False, adj_y=False
        ),
        b.operator("BATCH_MATMUL", [x, x], b.tensor((1, 9, 4, 4), 0.4, 5), adj_x=True, adj_y=False),
        b.operator(
            "BATCH_MATMUL",
            [x, b.constant(b.rng.integers(-128, 128, (5, 4)).astype(np.int8), 0.02, 6)],
            b.tensor((1, 9, 8, 5), 0.1, -7),
            adj_x=False,
            adj_y=True,
        ),
    ],
    **{code: _compared(code) for code in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")},
    "LOGICAL_AND": _logical("LOGICAL_AND"),
    "LOGICAL_OR": _logical("LOGICAL_OR"),
    "LOGICAL_NOT": lambda b, x: [b.operator("LOGICAL_NOT", [_truths(b, x)], b.tensor(b.shape(x), None, dtype="bool"))],
    "SELECT": lambda b, x: [
        b.operator("SELECT", [_truths(b, x), x, b.input(b.shape(x))], b.tensor(b.shape(x), 0.05, -3)),
        b.operator("SELECT", [b.input((1,), dtype="bool"), x, b.input(b.shape(x))], b.tensor(b.shape(x), 0.05, -3)),
    ],
    "SELECT_V2": lambda b, x: [
        b.operator("SELECT_V2", [_truths(b, x), x, b.input((8, 1))], b.tensor(b.shape(x), 0.05, -3)),
        b.operator("SELECT_V2", [b.input((9, 1, 4), dtype="bool"), b.input((4,)), x], b.tensor(b.shape(x), 0.05, -3)),
    ],
    "CAST": lambda b, x: [
        *(_cast(b, x, kind) for kind in ("int16", "int32", "uint8", "bool", "float32")),
        _cast(b, _cast(b, x, "int32"), "int8"),
        _cast(b, _truths(b, x), "int16"),
    ],
    "FILL": lambda b, x: [
        b.operator("FILL", [b.constant([3, 5]), b.squeeze(b.input((1,)), [0])], b.tensor((3, 5), 0.05, -3))
    ],
    "EMBEDDING_LOOKUP": lambda b, x: [
        b.operator(
            "EMBEDDING_LOOKUP",
            [b.input((6,), dtype="int32"), b.constant(b.rng.integers(-128, 128, (11, 5)).astype(np.int8), 0.1, 3)],
            b.tensor((6, 5), 0.1, 3),
        )
    ],
    "LOG_SOFTMAX": lambda b, x: [b.operator("LOG_SOFTMAX", [x], b.tensor(b.shape(x), 1 / 16, 127))],
    "L2_NORMALIZATION": lambda b, x: [b.operator("L2_NORMALIZATION", [x], b.tensor(b.shape(x), 1 / 128, 0))],
    "SQRT": lambda b, x: [b.unary("SQRT", _positive(b, x), scale=0.01, zero_point=-100)],
    "ABS": lambda b, x: [b.unary("ABS", x), b.unary("ABS", x, scale=0.05, zero_point=-128)],
    "NEG": lambda b, x: [b.unary("NEG", x), b.unary("NEG", x, scale=0.05, zero_point=3)],
    "RSQRT": lambda b, x: [
        b.unary("RSQRT", b.unary("RELU", x, scale=0.05, zero_point=-128), scale=0.03, zero_point=-128)
    ],
    "EXP": lambda b, x: [b.unary("EXP", x, scale=1.5, zero_point=-120)],
    "LOG": lambda b, x: [b.unary("LOG", x, scale=0.03, zero_point=40)],
    "GELU": lambda b, x: [b.unary("GELU", x), b.unary("GELU", x, approximate=True)],
    "RELU_N1_TO_1": lambda b, x: [b.unary("RELU_N1_TO_1", x, scale=0.01)],
    "RELU_0_TO_1": lambda b, x: [b.unary("RELU_0_TO_1", x, scale=0.006)],
    "QUANTIZE": lambda b, x: [b.unary("QUANTIZE", x), b.unary("QUANTIZE", b.input((1, 5), dtype="float32"))],
    "DEQUANTIZE": lambda b, x: [b.dequantize(x)],
}


# What LiteRT's reference kernels compute from the wrong bytes.
WITHOUT_LITERT = frozenset({"SUM"})


def sample(operator: str, seed: int = 0) -> ModelBuilder:
    """A model with the instances of one operator side by side, all of their outputs model outputs."""
    builder = ModelBuilder(seed)
    builder.output(*SAMPLES[operator](builder, builder.input((1, 9, 8, 4))))
    return builder


def everything(seed: int = 0) -> ModelBuilder:
    """All samples that LiteRT computes in one model."""
    builder = ModelBuilder(seed)
    x = builder.input((1, 9, 8, 4))
    for operator, build in SAMPLES.items():
        if operator not in WITHOUT_LITERT:
            builder.output(*build(builder, x))
    return builder
