"""Layers that compute sums, with numbers at their extremes: zero points, weights, scales, biases of 2^29."""

from __future__ import annotations

import numpy as np

from model_builder import ModelBuilder

ZERO_POINTS = (-128, -127, -17, 0, 4, 126, 127)
WEIGHTS = (-127, -126, -1, 0, 1, 126, 127)
ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6")


def accumulated(
    builder: ModelBuilder, operator: str, x: int, filters: np.ndarray, shape: tuple[int, ...], **options: object
) -> None:
    """An output of `operator` with these filters, its outputs spread over more or less than 8 bits, biases up to 2^30."""
    rng = builder.rng
    axis = 3 if operator == "DEPTHWISE_CONV_2D" else 0
    count = filters.shape[axis]
    reach = np.abs(filters.astype(np.int64)).sum(axis=tuple(k for k in range(filters.ndim) if k != axis)).max() * 128
    scales = tuple(float(np.float32(0.01 * 2.0 ** rng.uniform(-2, 2))) for _ in range(count))
    bias = rng.integers(-reach // 4 - 1, reach // 4 + 1, count)
    spread = 0.01 * 0.05 * max(int(reach), 200) / 255 * 2.0 ** rng.uniform(-3, 1)
    out = builder.tensor(shape, spread, int(rng.choice(ZERO_POINTS)))
    if rng.integers(4) == 0:  # a channel that is nearly dead
        bias[0] = int(rng.choice([-1, 1])) << 29
        scales = (1e-9, *scales[1:])
    handle = builder.constant(filters, scales, axis=axis)
    folded = builder.constant(bias.astype(np.int32), tuple(0.05 * scale for scale in scales), axis=0)
    builder.output(builder.operator(operator, [x, handle, folded], out, **options))


def random_filters(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random, or of extreme values alone."""
    if rng.integers(2):
        return rng.integers(-127, 128, shape).astype(np.int8)
    return rng.choice(WEIGHTS, shape).astype(np.int8)


def window(
    rng: np.random.Generator, size: tuple[int, int]
) -> tuple[dict[str, object], tuple[int, int], tuple[int, int]]:
    """Options of a convolution over an image of `size`, its kernel, and its output's size."""
    kernel = (int(rng.integers(1, 6)), int(rng.integers(1, 6)))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    padding = str(rng.choice(["SAME", "VALID"]))
    out = tuple(
        -(-n // s) if padding == "SAME" else (n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True)
    )
    options = {
        "stride_h": stride[0],
        "stride_w": stride[1],
        "padding": padding,
        "fused_activation": str(rng.choice(ACTIVATIONS)),
    }
    return options, kernel, (out[0], out[1])
