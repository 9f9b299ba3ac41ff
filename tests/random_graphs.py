"""Random graphs over all operators, in one model side by side: operators, shapes, scales and what reads what are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from model_builder import ModelBuilder
from model_file import DTYPES

_MOST_ELEMENTS = 3000
_Step = Callable[["_Graph", int], int]


class _Graph:
    """One graph under construction: `pool` are the int8 tensors that later operators may read."""

    def __init__(self, builder: ModelBuilder) -> None:
        self.b = builder
        self.rng = builder.rng
        self.pool: list[int] = []
        self.read: set[int] = set()

    def pick(self, *options: int) -> int:
        return int(options[self.rng.integers(len(options))])

    def flag(self) -> bool:
        return bool(self.rng.integers(2))

    def scale(self, near: float = 0.05, reach: float = 2.0) -> float:
        return float(near * 2.0 ** self.rng.uniform(-reach, reach))

    def point(self) -> int:
        return int(self.rng.choice([-128, 127, 0, int(self.rng.integers(-128, 128))]))

    def scale_of(self, x: int) -> float:
        return float(self.b.tensors[x].scales[0])

    def out(self, x: int, shape: tuple[int, ...] | None = None) -> int:
        """A tensor with a scale near that of `x`."""
        return self.b.tensor(self.b.shape(x) if shape is None else shape, self.scale(self.scale_of(x)), self.point())

    def values(self, shape: tuple[int, ...]) -> int:
        return self.b.constant(self.rng.integers(-128, 128, shape).astype(np.int8), self.scale(), self.point())

    def image(self, x: int) -> int:
        """`x` in four dimensions."""
        shape = self.b.shape(x)
        if len(shape) == 4:
            return x
        sizes = (1,) * (4 - len(shape)) + shape if len(shape) < 4 else (shape[0], math.prod(shape[1:-2]), *shape[-2:])
        return self.b.reshape(x, sizes)

    def rows(self, x: int) -> int:
        shape = self.b.shape(x)
        return self.b.reshape(x, (math.prod(shape[:-1]), shape[-1] if shape else 1))

    def window(self, x: int) -> dict[str, object]:
        _, h, w, _ = self.b.shape(x)
        kernel = (self.pick(1, 2, 3), self.pick(1, 2, 3))
        padding = "SAME" if min(h, w) < 3 or self.flag() else "VALID"
        activation = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")[self.rng.integers(4)]
        return {
            "kernel": kernel,
            "stride": (self.pick(1, 1, 2), self.pick(1, 1, 2)),
            "padding": padding,
            "activation": activation,
        }

    def partner(self, x: int) -> int:
        """Something that broadcasts with `x`."""
        shape = self.b.shape(x)
        same = [y for y in self.pool if self.b.shape(y) == shape]
        if same and self.flag():
            return same[self.rng.integers(len(same))]
        other = tuple(size if self.rng.integers(3) else 1 for size in shape)
        return self.values(other) if self.flag() else self.b.input(other, self.scale(), self.point())


def _conv(g: _Graph, x: int) -> int:
    x = g.image(x)
    dilation = (1, 1) if g.flag() else (2, 1)
    given = g.window(x)
    if dilation != (1, 1):
        given |= {"padding": "SAME", "stride": (1, 1)}
    if g.flag():
        return g.b.conv_2d(x, channels=g.pick(1, 3, 4, 7, 8), dilation=dilation, per_channel=g.flag(), **given)  # type: ignore[arg-type]
    if g.b.shape(x)[3] > 24:
        return g.b.depthwise_conv_2d(x, dilation=dilation, per_channel=g.flag(), bias=g.flag(), **given)  # type: ignore[arg-type]
    return g.b.depthwise_conv_2d(
        x,
        multiplier=g.pick(1, 1, 2),
        dilation=dilation,
        per_channel=g.flag(),
        bias=g.flag(),
        **given,  # type: ignore[arg-type]
    )


def _transpose_conv(g: _Graph, x: int) -> int:
    x = g.image(x)
    _, h, w, _ = g.b.shape(x)
    return g.b.transpose_conv(x, channels=g.pick(1, 3), size=(2 * h, w), kernel=(3, 2), stride=(2, 1), bias=g.flag())


def _dense(g: _Graph, x: int) -> int:
    activation = ("NONE", "RELU", "RELU6")[g.rng.integers(3)]
    return g.b.fully_connected(
        g.rows(x), units=g.pick(1, 4, 9), activation=activation, per_channel=g.flag(), bias=g.flag()
    )


def _pool(g: _Graph, x: int) -> int:
    return g.b.pool(g.image(x), ("AVERAGE", "MAX")[g.rng.integers(2)], **g.window(g.image(x)))  # type: ignore[arg-type]


def _binary(g: _Graph, x: int) -> int:
    y = g.partner(x)
    code = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE")[g.rng.integers(6)]
    operands = [x, y] if g.flag() else [y, x]
    largest = max(g.scale_of(x), g.scale_of(y))
    scale = g.scale(largest * (40 * min(g.scale_of(x), g.scale_of(y)) if code in ("MUL", "SQUARED_DIFFERENCE") else 1))
    out = g.b.tensor(g.b.shape(x), scale, g.point())
    fused = {"fused_activation": ("NONE", "RELU", "RELU6")[g.rng.integers(3)]} if code in ("ADD", "SUB", "MUL") else {}
    return g.b.operator(code, operands, out, **fused)


def _positive(g: _Graph, x: int) -> int:
    """`x` without what is not above zero."""
    point = g.b.tensors[x].zero_points[0]
    if point >= 127:
        return -1
    one = g.b.constant(np.array([point + 1], np.int8), g.scale_of(x), point)
    return g.b.operator("MAXIMUM", [x, one], g.b.tensor(g.b.shape(x), g.scale_of(x), point))


def _quotient(g: _Graph, x: int) -> int:
    y = _positive(g, x)
    if y < 0:
        return x
    return g.b.operator("DIV", [x, y], g.b.tensor(g.b.shape(x), g.scale(0.02, 3), g.point()), fused_activation="NONE")


def _root(g: _Graph, x: int) -> int:
    y = _positive(g, x)
    if y < 0:
        return x
    code = ("SQRT", "RSQRT", "LOG")[g.rng.integers(3)]
    return g.b.operator(code, [y], g.b.tensor(g.b.shape(x), g.scale(0.05), g.point()))


def _function(g: _Graph, x: int) -> int:
    code = (
        "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LEAKY_RELU", "HARD_SWISH", "TANH", "LOGISTIC", "ABS", "NEG", "EXP", "GELU",
        "QUANTIZE", "SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION",
    )[g.rng.integers(16)]  # fmt: skip
    fixed = {
        "LOGISTIC": (1 / 256, -128),
        "SOFTMAX": (1 / 256, -128),
        "LOG_SOFTMAX": (1 / 16, 127),
        "L2_NORMALIZATION": (1 / 128, 0),
    }
    options: dict[str, object] = (
        {"alpha": 0.3} if code == "LEAKY_RELU" else {"approximate": g.flag()} if code == "GELU" else {}
    )
    scale, point = fixed.get(code, (g.scale(g.scale_of(x)) if code != "EXP" else g.scale(1.0), g.point()))
    if code == "L2_NORMALIZATION":
        x = g.image(x)
    return g.b.operator(code, [x], g.b.tensor(g.b.shape(x), scale, point), **options)


def _prelu(g: _Graph, x: int) -> int:
    return g.b.operator("PRELU", [x, g.values((g.b.shape(x)[-1],) if g.b.shape(x) else ())], g.out(x))


def _moved(g: _Graph, x: int) -> int:
    shape = g.b.shape(x)
    rank = len(shape)
    kind = g.rng.integers(9)
    like = {"scale": g.scale_of(x), "zero_point": g.b.tensors[x].zero_points[0]}
    if kind == 0:
        return g.b.transpose(x, g.rng.permutation(rank).tolist())
    if kind == 1:
        return g.b.concatenation([x] * g.pick(2, 3), int(g.rng.integers(rank)))
    if kind == 2:
        return g.b.pad(x, [(g.pick(0, 1), g.pick(0, 2)) for _ in shape], None if g.flag() else g.point())
    if kind == 3:
        step = [g.pick(1, -1, 2) for _ in shape]
        begin = [0 if s > 0 else size - 1 for s, size in zip(step, shape, strict=True)]
        end = [size if s > 0 else -size - 1 for s, size in zip(step, shape, strict=True)]
        return g.b.strided_slice(x, begin, end, step)
    if kind == 4:
        axis = int(g.rng.integers(rank))
        return g.b.operator("REVERSE_V2", [x, g.b.constant([axis])], g.b.tensor(shape, **like))
    if kind == 5:
        times = [g.pick(1, 1, 2) for _ in shape]
        tiled = tuple(size * count for size, count in zip(shape, times, strict=True))
        return g.b.operator("TILE", [x, g.b.constant(times)], g.b.tensor(tiled, **like))
    if kind == 6:
        axis = int(g.rng.integers(rank))
        places = g.rng.integers(0, shape[axis], g.pick(1, 3)).astype(np.int32)
        picked = (*shape[:axis], len(places), *shape[axis + 1 :])
        return g.b.operator("GATHER", [x, g.b.constant(places)], g.b.tensor(picked, **like), axis=axis)
    if kind == 7:
        parts = next((n for n in (2, 3) if shape[-1] % n == 0), 0)
        return g.b.split(x, rank - 1, parts)[g.pick(0, 1)] if parts else x
    axis = int(g.rng.integers(rank + 1))
    return g.b.squeeze(g.b.expand_dims(x, axis), [axis])


def _resized(g: _Graph, x: int) -> int:
    x = g.image(x)
    size = (int(g.rng.integers(1, 9)), int(g.rng.integers(1, 9)))
    if g.flag():
        return g.b.resize_nearest_neighbor(x, size, half_pixel_centers=g.flag())
    n, _, _, c = g.b.shape(x)
    out = g.b.tensor((n, *size, c), g.scale_of(x), g.b.tensors[x].zero_points[0])
    return g.b.operator("RESIZE_BILINEAR", [x, g.b.constant(list(size))], out, half_pixel_centers=g.flag())


def _reduced(g: _Graph, x: int) -> int:
    rank = len(g.b.shape(x))
    axes = sorted(set(g.rng.integers(0, rank, 2).tolist()))
    if g.flag():
        return g.b.mean(x, axes, keep_dims=True, scale=g.scale(g.scale_of(x)), zero_point=g.point())
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(g.b.shape(x)))
    out = g.b.tensor(shape, g.scale_of(x), g.b.tensors[x].zero_points[0])
    code = ("REDUCE_MAX", "REDUCE_MIN")[g.rng.integers(2)]
    return g.b.operator(code, [x, g.b.constant(axes)], out, keep_dims=True)


def _matmul(g: _Graph, x: int) -> int:
    x = g.rows(x)
    rows, depth = g.b.shape(x)
    adjoint, columns = g.flag(), g.pick(1, 3, 6)
    other = g.values((columns, depth) if adjoint else (depth, columns))
    scale = g.scale(g.scale_of(x) * g.scale_of(other) * 80 * math.sqrt(depth))
    return g.b.operator(
        "BATCH_MATMUL", [x, other], g.b.tensor((rows, columns), scale, g.point()), adj_x=False, adj_y=adjoint
    )


def _chosen(g: _Graph, x: int) -> int:
    y = g.partner(x)
    if g.scale_of(x) >= 1 or g.scale_of(y) >= 1 or len(g.b.shape(x)) > 4:
        return x
    code = ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL")[g.rng.integers(6)]
    truths = g.b.operator(code, [x, y], g.b.tensor(g.b.shape(x), None, dtype="bool"))
    if g.flag():
        truths = g.b.operator("LOGICAL_NOT", [truths], g.b.tensor(g.b.shape(x), None, dtype="bool"))
    point = g.b.tensors[x].zero_points[0]
    other = g.b.constant(g.rng.integers(-128, 128, g.b.shape(x)).astype(np.int8), g.scale_of(x), point)
    return g.b.operator("SELECT_V2", [truths, x, other], g.b.tensor(g.b.shape(x), g.scale_of(x), point))


def _cast(g: _Graph, x: int) -> int:
    kind = ("int16", "int32")[g.rng.integers(2)]
    wide = g.b.tensor(g.b.shape(x), 0.05 if kind == "int16" else None, 0, dtype=kind)
    g.b.operator("CAST", [x], wide, in_data_type=DTYPES["int8"], out_data_type=DTYPES[kind])
    return g.b.operator("CAST", [wide], g.out(x), in_data_type=DTYPES[kind], out_data_type=DTYPES["int8"])


def _through_int16(g: _Graph, x: int) -> int:
    """A stretch of 16x8."""
    power = g.flag()
    scale = 2.0 ** round(math.log2(g.scale_of(x) / 128)) if power else g.scale_of(x) / 128
    wide = g.b.operator("QUANTIZE", [x], _wide(g, g.b.shape(x), scale))
    sum_scale = scale if power else scale * 2.1
    more = g.b.operator(
        ("ADD", "SUB")[g.rng.integers(2)],
        [wide, wide],
        _wide(g, g.b.shape(x), sum_scale),
        pot_scale_int16=power,
        version=4,
    )
    made = _WIDE_STEPS[g.rng.integers(len(_WIDE_STEPS))](g, more)
    fixed = g.scale_of(made)
    return g.b.operator("QUANTIZE", [made], g.b.tensor(g.b.shape(made), g.scale(fixed * 256), g.point()))


def _wide(g: _Graph, shape: tuple[int, ...], scale: float) -> int:
    return g.b.tensor(shape, scale, 0, dtype="int16")


def _wide_function(g: _Graph, x: int) -> int:
    codes = ("LOGISTIC", "TANH", "SOFTMAX", "RELU", "ABS", "NEG", "EXP", "LOG", "GELU", "RSQRT")
    code = codes[g.rng.integers(len(codes))]
    if code == "RSQRT":  # LiteRT does not run on negative values
        x = g.b.operator("RELU", [x], _wide(g, g.b.shape(x), g.scale_of(x)), version=1)
    scale = 1 / 32768 if code in ("LOGISTIC", "TANH", "SOFTMAX") else g.scale(g.scale_of(x))
    version = {"LOGISTIC": 3, "TANH": 3, "SOFTMAX": 3}.get(code, 1)
    options = {"approximate": g.flag()} if code == "GELU" else {}
    return g.b.operator(code, [x], _wide(g, g.b.shape(x), scale), version=version, **options)


def _wide_transpose_conv(g: _Graph, x: int) -> int:
    x = g.image(x)
    n, h, w, c = g.b.shape(x)
    channels, size = g.pick(1, 3), (2 * h, w)
    scales = (0.002 * 2.0 ** g.rng.uniform(-2, 2, channels)).tolist()
    filters = g.b.constant(g.rng.integers(-127, 128, (channels, 3, 2, c)).astype(np.int8), scales, axis=0)
    operands = [g.b.constant([n, *size, channels]), filters, x]
    if g.flag():
        bias = g.rng.integers(-(2**20), 2**20, channels).astype(np.int64)
        operands.append(g.b.constant(bias, [g.scale_of(x) * scale for scale in scales]))
    out = _wide(g, (n, *size, channels), g.scale(g.scale_of(x) * 0.3 * math.sqrt(c)))
    return g.b.operator("TRANSPOSE_CONV", operands, out, version=4, stride_h=2, stride_w=1, padding="SAME")


def _wide_resized(g: _Graph, x: int) -> int:
    x = g.image(x)
    n, _, _, c = g.b.shape(x)
    size = (int(g.rng.integers(1, 9)), int(g.rng.integers(1, 9)))
    out = _wide(g, (n, *size, c), g.scale_of(x))
    return g.b.operator("RESIZE_BILINEAR", [x, g.b.constant(list(size))], out, half_pixel_centers=g.flag())


def _wide_extreme(g: _Graph, x: int) -> int:
    shape, axis = g.b.shape(x), int(g.rng.integers(len(g.b.shape(x))))
    out = _wide(g, (*shape[:axis], 1, *shape[axis + 1 :]), g.scale_of(x))
    code = ("REDUCE_MAX", "REDUCE_MIN")[g.rng.integers(2)]
    return g.b.operator(code, [x, g.b.constant([axis])], out, version=3, keep_dims=True)


def _through_int32(g: _Graph, x: int) -> int:
    """To int32 with a scale, and back."""
    scale, shape = g.scale_of(x) / 128, g.b.shape(x)
    wide = g.b.operator("QUANTIZE", [x], _wide(g, shape, scale))
    long = g.b.operator("QUANTIZE", [wide], g.b.tensor(shape, scale / 8, 0, dtype="int32"))
    return g.b.operator("QUANTIZE", [long], g.out(x))


def _counted(g: _Graph, x: int) -> int:
    """A stretch of plain int32 and float32, whose numbers stay small."""
    shape = g.b.shape(x)

    def step(codes: tuple[str, ...], operands: list[int], dtype: str) -> int:
        code = codes[g.rng.integers(len(codes))]
        fused = (
            {"fused_activation": ("NONE", "RELU", "RELU6")[g.rng.integers(3)]} if code in ("ADD", "SUB", "MUL") else {}
        )
        return g.b.operator(code, operands, g.b.tensor(shape, None, dtype=dtype), **fused)

    y = g.b.operator(
        "CAST", [x], g.b.tensor(shape, None, dtype="int32"), in_data_type=DTYPES["int8"], out_data_type=DTYPES["int32"]
    )
    few = g.b.constant(g.rng.integers(1, 6, shape if g.flag() else shape[-1:]).astype(np.int32))
    y = step(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), [y, y], "int32")
    y = step(("FLOOR_DIV", "FLOOR_MOD", "DIV"), [y, few], "int32")
    real = g.b.operator(
        "CAST",
        [y],
        g.b.tensor(shape, None, dtype="float32"),
        in_data_type=DTYPES["int32"],
        out_data_type=DTYPES["float32"],
    )
    real = step(
        ("ADD", "SUB", "MUL"), [real, g.b.constant(g.rng.normal(size=shape[-1:]).astype(np.float32))], "float32"
    )
    return g.b.operator("QUANTIZE", [real], g.b.tensor(shape, g.scale(1.0), g.point()))


def _gathered(g: _Graph, x: int) -> int:
    """GATHER_ND of constant places."""
    shape = g.b.shape(x)
    axes, rows = int(g.rng.integers(1, len(shape) + 1)), int(g.rng.integers(1, 7))
    places = np.stack([g.rng.integers(0, shape[k], rows) for k in range(axes)], axis=-1).astype(np.int32)
    out = g.b.tensor((rows, *shape[axes:]), g.scale_of(x), g.b.tensors[x].zero_points[0])
    return g.b.operator("GATHER_ND", [x, g.b.constant(places)], out)


_WIDE_STEPS: tuple[_Step, ...] = (
    _wide_function, _wide_function, _wide_function, _wide_transpose_conv, _wide_resized, _wide_extreme,
)  # fmt: skip
_STEPS: tuple[_Step, ...] = (
    _conv, _conv, _conv, _transpose_conv, _dense, _dense, _pool, _binary, _binary, _binary, _quotient, _root, _function, _function,
    _function, _prelu, _moved, _moved, _moved, _resized, _reduced, _matmul, _chosen, _cast, _through_int16, _through_int16, _through_int32, _counted,
    _gathered,
)  # fmt: skip


def random_model(seed: int, graphs: int = 10) -> ModelBuilder:
    """A model of `graphs` random graphs of up to ten steps each; what nothing reads is an output."""
    builder = ModelBuilder(seed)
    for _ in range(graphs):
        graph = _Graph(builder)
        rng = builder.rng
        shape = tuple(int(size) for size in rng.integers(1, (3, 9, 9, 7)))
        graph.pool.append(builder.input(shape, graph.scale(), graph.point()))
        for _ in range(int(rng.integers(3, 11))):
            x = graph.pool[-1] if rng.integers(3) else graph.pool[rng.integers(len(graph.pool))]
            if not builder.shape(x) or len(builder.shape(x)) > 4:
                continue
            made = _STEPS[rng.integers(len(_STEPS))](graph, x)
            if math.prod(builder.shape(made)) <= _MOST_ELEMENTS and made not in graph.pool:
                graph.pool.append(made)
    read = {index for operator in builder.operators for index in operator.inputs}
    written = [index for operator in builder.operators for index in operator.outputs]
    builder.output(*(index for index in written if index not in read))
    builder.inputs = [index for index in builder.inputs if index in read]
    return builder
