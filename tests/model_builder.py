"""Builds int8 .tflite models at test time, without TensorFlow: any graph of the supported operators, random filters.

Tensors are handles (their index in the model). Methods named after operators work out the output's shape and choose
quantisation for it; `operator`, `tensor` and `constant` (model_file.py) are the plain way for everything else, wrong
models included.

    builder = ModelBuilder(seed=1)
    image = builder.input((1, 8, 8, 3))
    x = builder.conv_2d(image, channels=4, kernel=(3, 3), stride=(2, 2), padding="SAME", activation="RELU")
    builder.output(builder.softmax(builder.fully_connected(builder.reshape(x, (1, -1)), units=5)))
    path.write_bytes(builder.build())

Several independent chains may stand side by side in one model: call `input` and `output` as often as needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from model_file import ModelFile


class ModelBuilder(ModelFile):
    """A model under construction. `seed` decides all random filters, biases and scales.

    Every method takes tensor handles and returns the handle of the output that it has made.
    """

    def conv_2d(
        self,
        x: int,
        *,
        channels: int,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
        bias: bool = True,
    ) -> int:
        """Convolution with random filters [channels, kh, kw, in]; pairs are (height, width).

        LiteRT's CONV_2D refuses a missing bias (`bias=False`), its DEPTHWISE_CONV_2D and FULLY_CONNECTED do not.
        """
        n, h, w, c = self.shape(x)
        fan_in = kernel[0] * kernel[1] * c
        filters, scales = self._filter((channels, *kernel, c), 0, channels if per_channel else 1)
        operands = [x, filters, *([self._bias(x, scales, channels, fan_in)] if bias else [])]
        size = [
            _window(h, kernel[0], stride[0], dilation[0], padding),
            _window(w, kernel[1], stride[1], dilation[1], padding),
        ]
        out = self._accumulated(x, scales, fan_in, (n, *size, channels))
        return self.operator(
            "CONV_2D", operands, out,
            stride_h=stride[0], stride_w=stride[1], dilation_h_factor=dilation[0], dilation_w_factor=dilation[1],
            padding=padding, fused_activation=activation,
        )  # fmt: skip

    def depthwise_conv_2d(
        self,
        x: int,
        *,
        multiplier: int = 1,
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
        bias: bool = True,
    ) -> int:
        """Depthwise convolution with random filters [1, kh, kw, in * multiplier]; pairs are (height, width)."""
        n, h, w, c = self.shape(x)
        channels, fan_in = c * multiplier, kernel[0] * kernel[1]
        filters, scales = self._filter((1, *kernel, channels), 3, channels if per_channel else 1)
        operands = [x, filters, *([self._bias(x, scales, channels, fan_in)] if bias else [])]
        size = [
            _window(h, kernel[0], stride[0], dilation[0], padding),
            _window(w, kernel[1], stride[1], dilation[1], padding),
        ]
        out = self._accumulated(x, scales, fan_in, (n, *size, channels))
        return self.operator(
            "DEPTHWISE_CONV_2D", operands, out,
            stride_h=stride[0], stride_w=stride[1], dilation_h_factor=dilation[0], dilation_w_factor=dilation[1],
            padding=padding, fused_activation=activation, depth_multiplier=multiplier,
        )  # fmt: skip

    def fully_connected(
        self,
        x: int,
        *,
        units: int,
        activation: str = "NONE",
        per_channel: bool = False,
        bias: bool = True,
        keep_num_dims: bool = False,
    ) -> int:
        """Dense layer with random filters [units, in]; `in` is the last dimension of `x`."""
        shape = self.shape(x)
        filters, scales = self._filter((units, shape[-1]), 0, units if per_channel else 1)
        operands = [x, filters, self._bias(x, scales, units, shape[-1]) if bias else -1]
        result = (*shape[:-1], units) if keep_num_dims else (math.prod(shape[:-1]), units)
        out = self._accumulated(x, scales, shape[-1], result)
        return self.operator("FULLY_CONNECTED", operands, out, fused_activation=activation, keep_num_dims=keep_num_dims)

    def pool(
        self,
        x: int,
        kind: str = "AVERAGE",
        *,
        kernel: tuple[int, int] = (2, 2),
        stride: tuple[int, int] = (2, 2),
        padding: str = "VALID",
        activation: str = "NONE",
    ) -> int:
        """AVERAGE_POOL_2D or MAX_POOL_2D; the output has the input's quantisation, as TFLite demands."""
        n, h, w, c = self.shape(x)
        size = [_window(h, kernel[0], stride[0], 1, padding), _window(w, kernel[1], stride[1], 1, padding)]
        return self.operator(
            f"{kind}_POOL_2D", [x], self._like(x, (n, *size, c)),
            filter_height=kernel[0], filter_width=kernel[1], stride_h=stride[0], stride_w=stride[1],
            padding=padding, fused_activation=activation,
        )  # fmt: skip

    def binary(
        self, code: str, a: int, b: int, *, activation: str = "NONE", scale: float = 0.09, zero_point: int = 4
    ) -> int:
        """ADD, SUB or MUL, with broadcasting."""
        out = self.tensor(np.broadcast_shapes(self.shape(a), self.shape(b)), scale, zero_point)
        return self.operator(code, [a, b], out, fused_activation=activation)

    def unary(self, code: str, x: int, *, scale: float = 0.04, zero_point: int = -7, **options: object) -> int:
        """RELU, RELU6, LEAKY_RELU (alpha=), HARD_SWISH, TANH, LOGISTIC, or QUANTIZE from any type to int8."""
        return self.operator(code, [x], self.tensor(self.shape(x), scale, zero_point), **options)

    def quantize(self, x: int, dtype: str, *, scale: float = 0.04, zero_point: int = 7) -> int:
        """QUANTIZE to int8 or uint8."""
        return self.operator("QUANTIZE", [x], self.tensor(self.shape(x), scale, zero_point, dtype=dtype))

    def logistic(self, x: int) -> int:
        return self.operator("LOGISTIC", [x], self.tensor(self.shape(x), 1 / 256, -128))

    def tanh(self, x: int) -> int:
        return self.operator("TANH", [x], self.tensor(self.shape(x), 1 / 128, 0))

    def softmax(self, x: int, beta: float = 1.0) -> int:
        return self.operator("SOFTMAX", [x], self.tensor(self.shape(x), 1 / 256, -128), beta=beta)

    def dequantize(self, x: int) -> int:
        return self.operator("DEQUANTIZE", [x], self.tensor(self.shape(x), None, dtype="float32"))

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        """RESHAPE with a shape tensor; one entry may be -1."""
        known = math.prod(size for size in shape if size != -1)
        actual = [math.prod(self.shape(x)) // known if size == -1 else size for size in shape]
        return self.operator("RESHAPE", [x, self.constant(list(shape))], self._like(x, actual), new_shape=list(shape))

    def squeeze(self, x: int, axes: Sequence[int]) -> int:
        gone = {axis % len(self.shape(x)) for axis in axes}
        shape = [size for axis, size in enumerate(self.shape(x)) if axis not in gone]
        return self.operator("SQUEEZE", [x], self._like(x, shape), squeeze_dims=list(axes))

    def expand_dims(self, x: int, axis: int) -> int:
        shape = list(self.shape(x))
        shape.insert(axis if axis >= 0 else axis + len(shape) + 1, 1)
        return self.operator("EXPAND_DIMS", [x, self.constant([axis])], self._like(x, shape))

    def mean(
        self, x: int, axes: Sequence[int], *, keep_dims: bool = False, scale: float | None = None, zero_point: int = 3
    ) -> int:
        """MEAN over axes; without `scale` the output has the input's quantisation."""
        reduced = {axis % len(self.shape(x)) for axis in axes}
        sizes = [1 if axis in reduced else size for axis, size in enumerate(self.shape(x))]
        shape = sizes if keep_dims else [size for axis, size in enumerate(sizes) if axis not in reduced]
        out = self._like(x, shape) if scale is None else self.tensor(shape, scale, zero_point)
        return self.operator("MEAN", [x, self.constant(list(axes))], out, keep_dims=keep_dims)

    def pad(self, x: int, paddings: Sequence[Sequence[int]], value: int | None = None) -> int:
        """PAD with the zero point, or PADV2 with the quantised `value`."""
        shape = [size + before + after for size, (before, after) in zip(self.shape(x), paddings, strict=True)]
        operands = [x, self.constant([list(pair) for pair in paddings])]
        if value is None:
            return self.operator("PAD", operands, self._like(x, shape))
        tensor = self.tensors[x]
        operands.append(self.constant(np.array([value], np.int8), tensor.scales[0], tensor.zero_points[0]))
        return self.operator("PADV2", operands, self._like(x, shape))

    def concatenation(self, parts: Sequence[int], axis: int) -> int:
        """CONCATENATION of tensors with one quantisation."""
        shape = list(self.shape(parts[0]))
        shape[axis] = sum(self.shape(part)[axis] for part in parts)
        return self.operator("CONCATENATION", parts, self._like(parts[0], shape), axis=axis, fused_activation="NONE")

    def split(self, x: int, axis: int, parts: int) -> list[int]:
        shape = list(self.shape(x))
        shape[axis] //= parts
        out = [self._like(x, shape) for _ in range(parts)]
        self.operator("SPLIT", [self.constant(np.array(axis, np.int32)), x], out, num_splits=parts)
        return out

    def transpose(self, x: int, order: Sequence[int]) -> int:
        shape = [self.shape(x)[axis] for axis in order]
        return self.operator("TRANSPOSE", [x, self.constant(list(order))], self._like(x, shape))

    def strided_slice(self, x: int, begin: Sequence[int], end: Sequence[int], strides: Sequence[int]) -> int:
        """STRIDED_SLICE without masks, with Python's meaning of begin, end and stride."""
        picks = [slice(*triple) for triple in zip(begin, end, strides, strict=True)]
        shape = [len(range(*pick.indices(size))) for pick, size in zip(picks, self.shape(x), strict=True)]
        operands = [x, *(self.constant(list(values)) for values in (begin, end, strides))]
        return self.operator("STRIDED_SLICE", operands, self._like(x, shape))

    def resize_nearest_neighbor(
        self, x: int, size: tuple[int, int], *, align_corners: bool = False, half_pixel_centers: bool = False
    ) -> int:
        n, _, _, c = self.shape(x)
        return self.operator(
            "RESIZE_NEAREST_NEIGHBOR", [x, self.constant(list(size))], self._like(x, (n, *size, c)),
            align_corners=align_corners, half_pixel_centers=half_pixel_centers,
        )  # fmt: skip

    def transpose_conv(
        self,
        x: int,
        *,
        channels: int,
        size: tuple[int, int],
        kernel: tuple[int, int] = (3, 3),
        stride: tuple[int, int] = (2, 2),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
        bias: bool = True,
    ) -> int:
        """Transposed convolution to an image of `size` with random filters [channels, kh, kw, in]; pairs are (height, width)."""
        n, _, _, c = self.shape(x)
        fan_in = -(-kernel[0] // stride[0]) * -(-kernel[1] // stride[1]) * c
        filters, scales = self._filter((channels, *kernel, c), 0, channels if per_channel else 1)
        operands = [self.constant([n, *size, channels]), filters, x]
        operands += [self._bias(x, scales, channels, fan_in)] if bias else []
        out = self._accumulated(x, scales, fan_in, (n, *size, channels))
        return self.operator(
            "TRANSPOSE_CONV", operands, out, stride_h=stride[0], stride_w=stride[1], padding=padding, fused_activation=activation,
            version=4 if activation != "NONE" else 3 if bias else 2,
        )  # fmt: skip

    def svdf(
        self,
        x: int,
        units: int,
        *,
        rank: int = 1,
        memory: int = 4,
        wide: bool = True,
        state: tuple[float, int] = (0.01, 0),
    ) -> int:
        """SVDF of [batch, inputs] with a state of int16, or of int8 as TensorFlow Lite Micro has it."""
        batches, inputs = self.shape(x)
        filters, kind, limit = units * rank, np.int16 if wide else np.int8, 3000 if wide else 127
        features = self.constant(self.rng.integers(-127, 128, (filters, inputs)).astype(np.int8), 0.004)
        times = self.constant(self.rng.integers(-limit, limit + 1, (filters, memory)).astype(kind), 0.3 / limit)
        bias = self.constant(self.rng.integers(-3000, 3000, units).astype(np.int32), state[0] * 0.3 / limit)
        kept = self.state((batches, memory * filters), *state, dtype="int16" if wide else "int8")
        return self.operator(
            "SVDF",
            [x, features, times, bias, kept],
            self.tensor((batches, units), 0.02, -30),
            rank=rank,
            svdf_activation="RELU",
        )

    def lstm(
        self,
        x: int,
        cells: int,
        *,
        time_major: bool = False,
        cell_scale: float = 2.0**-12,
        clip: float = 0.0,
        state: tuple[float, int] = (0.0078, -1),
    ) -> int:
        """UNIDIRECTIONAL_SEQUENCE_LSTM of [batch, time, inputs], or [time, batch, inputs]; the output has the scale of its state."""
        shape = self.shape(x)
        batches = shape[1] if time_major else shape[0]
        x_scale = self.tensors[x].scales[0]

        def weights(columns: int) -> int:
            values = self.rng.integers(-127, 128, (cells, columns)).astype(np.int8)
            return self.constant(values, float(0.01 * 2.0 ** self.rng.uniform(-1, 1)))

        def bias() -> int:
            return self.constant(self.rng.integers(-4000, 4000, cells).astype(np.int32), x_scale * 0.01)

        operands = [x, *(weights(shape[2]) for _ in range(4)), *(weights(cells) for _ in range(4)), -1, -1, -1]
        operands += [*(bias() for _ in range(4)), -1, -1]
        operands.append(self.state((batches, cells), *state))
        operands.append(self.state((batches, cells), cell_scale, dtype="int16"))
        operands += [-1] * 4
        inside = [self.tensor((0,), None, dtype="float32") for _ in range(4)]
        inside.append(self.tensor((0,), *state))
        return self.operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM", operands, self.tensor((*shape[:2], cells), *state), intermediates=inside,
            cell_activation="TANH", cell_clip=clip, time_major=time_major,
        )  # fmt: skip

    # ---- choices ----

    def _like(self, x: int, shape: Sequence[int]) -> int:
        """A new tensor with the type and quantisation of `x`."""
        tensor = self.tensors[x]
        index = self.tensor(shape, None, dtype=tensor.dtype)
        self.tensors[index].scales, self.tensors[index].zero_points = tensor.scales, tensor.zero_points
        return index

    def _filter(self, shape: Sequence[int], axis: int, scales: int) -> tuple[int, tuple[float, ...]]:
        """A random symmetric filter and its scales, which span a factor of eight across channels."""
        values = self.rng.integers(-127, 128, size=shape).astype(np.int8)
        chosen = tuple(float(s) for s in 0.002 * 2.0 ** self.rng.uniform(-1.5, 1.5, size=scales))
        return self.constant(values, chosen, 0, axis=axis), chosen

    def _bias(self, x: int, scales: Sequence[float], channels: int, fan_in: int) -> int:
        limit = int(127 * 40 * math.sqrt(fan_in)) + 1
        values = self.rng.integers(-limit, limit + 1, size=channels).astype(np.int32)
        return self.constant(values, [self.tensors[x].scales[0] * s for s in scales], 0)

    def _accumulated(self, x: int, scales: Sequence[float], fan_in: int, shape: Sequence[int]) -> int:
        """The output of a sum of `fan_in` products: its scale lets most values through and clips some."""
        spread = self.tensors[x].scales[0] * max(scales) * 73 * 73 * math.sqrt(fan_in)
        return self.tensor(shape, spread / 60, int(self.rng.integers(-20, 21)))


def _window(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    extent = 1 if padding == "SAME" else (kernel - 1) * dilation + 1
    return (size - extent) // stride + 1
