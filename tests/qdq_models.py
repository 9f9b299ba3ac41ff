"""ONNX models in QDQ form, written by hand in the styles of several quantisers."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx_models import OnnxBuilder


class QdqBuilder(OnnxBuilder):
    """`pair` puts QuantizeLinear and DequantizeLinear behind a value; `weights` come behind a DequantizeLinear."""

    unsigned = False  # activations and weights in uint8, around 128
    narrow = False  # a Clip to -127..127 between the pair, as Brevitas writes it

    def pair(self, x: str, scale: float, point: int = 0) -> str:
        kind, shift = (np.uint8, 128) if self.unsigned else (np.int8, 0)
        parameters = self.constant(np.float32(scale)), self.constant(np.array(point + shift, kind))
        y = self.node("QuantizeLinear", x, *parameters)
        if self.narrow:
            y = self.node("Clip", y, self.constant(np.array(-127, np.int8)), self.constant(np.array(127, np.int8)))
        return self.node("DequantizeLinear", y, *parameters)

    def filters(self, shape: tuple[int, ...], axis: int | None = 0, zero_point: int = 0) -> str:
        """int8 weights of `shape` with a scale for each index along `axis`, or one."""
        values = self.rng.integers(-127, 128, size=shape)
        count = shape[axis] if axis is not None else 1
        scales = (0.002 * 2.0 ** self.rng.uniform(-1, 1, size=count)).astype(np.float32)
        kind, shift = (np.uint8, 128) if self.unsigned else (np.int8, 0)
        points = np.full(count, shift + zero_point, kind)
        if axis is None:
            return self.node(
                "DequantizeLinear", self.constant((values + shift).astype(kind)),
                self.constant(scales[0]), self.constant(points[0]),
            )  # fmt: skip
        return self.node(
            "DequantizeLinear", self.constant((values + shift).astype(kind)),
            self.constant(scales), self.constant(points), axis=axis,
        )  # fmt: skip


def small_net(builder: QdqBuilder, **filters: Any) -> QdqBuilder:
    """Convolution with Relu, pool, dense layer; a float32 bias, as PT2E has it."""
    x = builder.pair(builder.input("image", (1, 3, 8, 8)), 0.03, 5)
    bias = builder.constant(builder.rng.normal(size=4) * 0.1)
    x = builder.node("Conv", x, builder.filters((4, 3, 3, 3), **filters), bias, pads=[1, 1, 1, 1])
    x = builder.pair(builder.node("Relu", x), 0.02, -128)
    x = builder.pair(builder.node("GlobalAveragePool", x), 0.01, -128)
    x = builder.node("Flatten", x)
    x = builder.node("Gemm", x, builder.filters((5, 4), 0), transB=1)
    builder.output(builder.pair(x, 0.05, 3))
    return builder
