"""One small float ONNX model for every operator and form of it that is converted: name -> builder of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from onnx_models import OnnxBuilder

Case = Callable[[OnnxBuilder], None]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


def on_image(name: str, build: Callable[[OnnxBuilder, str], str], shape: Sequence[int] = (1, 4, 9, 8)) -> None:
    """A case on an image (N, C, H, W) that comes out of a convolution, so that its layout is the target's."""

    def model(b: OnnxBuilder) -> None:
        x = b.conv(b.input("x", (1, 3, *shape[2:])), (3, shape[1]), kernel=(1, 1))
        b.output(build(b, x))

    CASES[name] = model


def ints(b: OnnxBuilder, *values: int) -> str:
    return b.constant(np.array(values, np.int64))


def _attributes(kind: str, **attributes: Any) -> Callable[[OnnxBuilder, str], str]:
    return lambda b, x: b.node(kind, x, **attributes)


for pads in ([0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1], [2, 0, 1, 1]):
    for strides in ([1, 1], [2, 2]):
        on_image(f"conv_{pads}_{strides}", lambda b, x, p=pads, s=strides: b.conv(x, (4, 6), pads=p, strides=s))
on_image("conv_dilated", lambda b, x: b.conv(x, (4, 6), dilations=[2, 2], pads=[2, 2, 2, 2]))
on_image("conv_same_upper", lambda b, x: b.conv(x, (4, 6), auto_pad="SAME_UPPER", strides=[2, 2]))
on_image("conv_same_lower", lambda b, x: b.conv(x, (4, 6), auto_pad="SAME_LOWER", strides=[2, 2]))
on_image("conv_without_bias", lambda b, x: b.node("Conv", x, b.weights((6, 4, 3, 3))))
on_image("depthwise", lambda b, x: b.conv(x, (4, 4), group=4, pads=[1, 1, 1, 1]))
on_image("depthwise_multiplied", lambda b, x: b.conv(x, (4, 12), group=4, strides=[2, 1]))
on_image("grouped", lambda b, x: b.conv(x, (4, 6), group=2, pads=[1, 1, 1, 1]))
on_image("conv_relu", lambda b, x: b.node("Relu", b.conv(x, (4, 6))))
on_image("conv_relu6", lambda b, x: b.node("Clip", b.conv(x, (4, 6)), b.constant(0.0), b.constant(6.0)))
on_image("conv_clip_narrow", lambda b, x: b.node("Clip", b.conv(x, (4, 6)), b.constant(-0.3), b.constant(0.4)))
on_image(
    "batch_norm",
    lambda b, x: b.node(
        "BatchNormalization", b.conv(x, (4, 6)), b.constant(np.linspace(0.5, 1.5, 6)), b.constant(np.linspace(-1, 1, 6)),
        b.constant(np.linspace(-0.2, 0.2, 6)), b.constant(np.linspace(0.5, 2, 6)),
    ),
)  # fmt: skip
on_image(
    "batch_norm_alone",
    lambda b, x: b.node(
        "BatchNormalization", b.node("Relu", x), b.constant(np.linspace(0.5, 1.5, 4)), b.constant(np.linspace(-1, 1, 4)),
        b.constant(np.linspace(-0.2, 0.2, 4)), b.constant(np.linspace(0.5, 2, 4)),
    ),
)  # fmt: skip
for kind in ("Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"):
    on_image(f"unary_{kind}", _attributes(kind))
on_image("hard_swish_as_a_product", lambda b, x: b.node("Mul", x, b.node("HardSigmoid", x, alpha=1 / 6)))
on_image("hard_sigmoid_of_torch", _attributes("HardSigmoid", alpha=1 / 6, beta=0.5))
on_image("leaky_relu_of_yolo", _attributes("LeakyRelu", alpha=0.1))
on_image("prelu_of_one_slope", lambda b, x: b.node("PRelu", x, b.constant(np.array([0.2]))))
on_image("squeeze_and_excite", lambda b, x: b.node(
    "Mul", x, b.node("Sigmoid", b.conv(b.node("GlobalAveragePool", x), (4, 4), kernel=(1, 1)))
))  # fmt: skip
for axis in (1, 3):
    on_image(f"softmax_{axis}", _attributes("Softmax", axis=axis))
for kind in ("Add", "Sub", "Mul"):
    on_image(f"binary_{kind}", lambda b, x, k=kind: b.node(k, x, b.node("Relu", b.conv(x, (4, 4), kernel=(1, 1)))))
    on_image(f"constant_{kind}", lambda b, x, k=kind: b.node(k, x, b.constant(b.rng.normal(size=(4, 1, 1)))))
    on_image(f"scalar_{kind}", lambda b, x, k=kind: b.node(k, x, b.constant(0.7)))
    on_image(f"scalar_first_{kind}", lambda b, x, k=kind: b.node(k, b.constant(0.7), x))
on_image("constant_Div", lambda b, x: b.node("Div", x, b.constant(b.rng.uniform(0.5, 2, size=(4, 1, 1)))))
on_image("add_relu", lambda b, x: b.node("Relu", b.node("Add", x, b.conv(x, (4, 4), kernel=(1, 1)))))
for kernel, strides, pads in (
    ([2, 2], [2, 2], [0, 0, 0, 0]),
    ([3, 3], [2, 2], [1, 1, 1, 1]),
    ([3, 2], [1, 2], [0, 0, 0, 0]),
):
    on_image(f"max_pool_{kernel}_{pads}", _attributes("MaxPool", kernel_shape=kernel, strides=strides, pads=pads))
on_image("max_pool_ceil", _attributes("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1))
on_image("average_pool", _attributes("AveragePool", kernel_shape=[2, 2], strides=[2, 2]))
on_image("average_pool_same", _attributes("AveragePool", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]))
on_image(
    "average_pool_counting_pads",
    _attributes("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1),
)
on_image("global_average_pool", _attributes("GlobalAveragePool"))
on_image("global_max_pool", _attributes("GlobalMaxPool"))
on_image("reduce_mean", _attributes("ReduceMean", axes=[2, 3], keepdims=0))
on_image("reduce_mean_kept", _attributes("ReduceMean", axes=[-1, -2], keepdims=1))
on_image("reduce_mean_of_channels", _attributes("ReduceMean", axes=[1], keepdims=0))
on_image("flatten_to_dense", lambda b, x: b.node(
    "Gemm", b.node("Flatten", x), b.weights((5, 288)), b.constant(b.rng.normal(size=5)), transB=1
))  # fmt: skip
on_image("flatten_relu_dense", lambda b, x: b.node(
    "Gemm", b.node("Relu", b.node("Flatten", x)), b.weights((5, 288)), transB=1
))  # fmt: skip
on_image("reshape_to_dense", lambda b, x: b.node("MatMul", b.node("Reshape", x, ints(b, 1, -1)), b.weights((288, 5))))
on_image(
    "flatten_to_softmax", lambda b, x: b.node("Softmax", b.node("Mul", b.node("Flatten", x), b.constant(8.0)), axis=1)
)
on_image("flatten_by_shape", lambda b, x: b.node("Reshape", x, b.node(
    "Concat", b.node("Gather", b.node("Shape", x), ints(b, 0)), ints(b, -1), axis=0
)))  # fmt: skip
on_image("pooled_to_dense", lambda b, x: b.node(
    "Gemm", b.node("Flatten", b.node("GlobalAveragePool", x)), b.weights((4, 5)), b.constant(b.rng.normal(size=5))
))  # fmt: skip
on_image("transpose_to_last", _attributes("Transpose", perm=[0, 2, 3, 1]))
on_image("transpose_twice", lambda b, x: b.conv(
    b.node("Transpose", b.node("Relu", b.node("Transpose", x, perm=[0, 2, 3, 1])), perm=[0, 3, 1, 2]), (4, 5), kernel=(1, 1)
))  # fmt: skip
on_image("rows_as_sequence", lambda b, x: b.node(
    "MatMul", b.node("Reshape", b.node("Transpose", x, perm=[0, 2, 3, 1]), ints(b, 1, 72, 4)), b.weights((4, 6))
))  # fmt: skip
on_image("channel_shuffle", lambda b, x: b.node("Reshape", b.node(
    "Transpose", b.node("Reshape", x, ints(b, 1, 2, 2, 9, 8)), perm=[0, 2, 1, 3, 4]
), ints(b, 1, 4, 9, 8)))  # fmt: skip
on_image("concat_channels", lambda b, x: b.node("Concat", x, b.node("Relu", b.conv(x, (4, 6), kernel=(1, 1))), axis=1))
on_image("concat_rows", lambda b, x: b.node("Concat", x, b.node("Sigmoid", x), axis=2))
on_image("pad", lambda b, x: b.node("Pad", x, ints(b, 0, 0, 1, 2, 0, 0, 3, 0)))
on_image("pad_with_value", lambda b, x: b.node("Pad", x, ints(b, 0, 0, 1, 1, 0, 0, 1, 1), b.constant(0.5)))
on_image("slice", lambda b, x: b.node("Slice", x, ints(b, 1, 0), ints(b, 3, 7), ints(b, 1, 2), ints(b, 1, 2)))
on_image("slice_from_the_end", lambda b, x: b.node("Slice", x, ints(b, -2), ints(b, 2**60), ints(b, 3)))
on_image("split_equal", lambda b, x: b.node(
    "Mul", b.node("Split", x, outputs=["low", "high"], axis=1), b.node("Relu", "high")
))  # fmt: skip
on_image("split_unequal", lambda b, x: b.node("Relu", b.node(
    "Split", x, ints(b, 1, 3), outputs=["low", "high"], axis=1
) and "high"))  # fmt: skip
on_image("gather_one", lambda b, x: b.node("Gather", x, b.constant(np.array(2, np.int64)), axis=2))
on_image("gather_run", lambda b, x: b.node("Gather", x, ints(b, 1, 2), axis=1))
on_image("squeeze", lambda b, x: b.node("Squeeze", b.node("GlobalAveragePool", x), ints(b, 2, 3)))
on_image("unsqueeze", lambda b, x: b.node("Unsqueeze", b.node("ReduceMean", x, axes=[2, 3], keepdims=0), ints(b, 2, 3)))
on_image("identity_and_dropout", lambda b, x: b.node("Dropout", b.node("Identity", b.node("Relu", x))))
for factor in (2, 3):
    on_image(f"resize_nearest_{factor}", lambda b, x, f=factor: b.node(
        "Resize", x, "", b.constant(np.array([1, 1, f, f], np.float32)), mode="nearest"
    ))  # fmt: skip
on_image("resize_nearest_of_torch", lambda b, x: b.node(
    "Resize", x, "", b.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest", nearest_mode="floor",
    coordinate_transformation_mode="asymmetric",
))  # fmt: skip


@case
def conv_1d(b: OnnxBuilder) -> None:
    x = b.node("Relu", b.conv(b.input("x", (1, 3, 32)), (3, 8), kernel=(5,), pads=[2, 2]))
    x = b.node(
        "MaxPool", b.conv(x, (8, 8), kernel=(3,), group=8, dilations=[2], pads=[2, 2]), kernel_shape=[2], strides=[2]
    )
    b.output(b.node("Gemm", b.node("Flatten", x), b.weights((4, 128)), transB=1))


@case
def conv_1d_causal(b: OnnxBuilder) -> None:
    x = b.conv(b.input("x", (1, 3, 32)), (3, 8), kernel=(3,), pads=[4, 0], dilations=[2])
    b.output(b.node("GlobalAveragePool", b.node("Relu", x)))


@case
def dense_alone(b: OnnxBuilder) -> None:
    x = b.input("x", ("batch", 12))
    x = b.node("Relu", b.node("Gemm", x, b.weights((8, 12)), b.constant(b.rng.normal(size=8)), transB=1))
    b.output(b.node("Add", b.node("MatMul", x, b.weights((8, 3))), b.constant(b.rng.normal(size=3))))


@case
def channels_last_input(b: OnnxBuilder) -> None:
    x = b.node("Transpose", b.input("x", (1, 8, 8, 3)), perm=[0, 3, 1, 2])
    b.output(b.node("Relu", b.conv(x, (3, 4), pads=[1, 1, 1, 1])))


@case
def two_inputs_and_outputs(b: OnnxBuilder) -> None:
    x, y = b.input("x", (1, 3, 6, 6)), b.input("y", (1, 4))
    pooled = b.node("Flatten", b.node("GlobalAveragePool", b.conv(x, (3, 4))))
    b.output(b.node("Add", pooled, y))
    b.output(b.node("Softmax", b.node("Gemm", pooled, b.weights((4, 3))), axis=-1))


@case
def residual_blocks(b: OnnxBuilder) -> None:
    x = b.node("Relu", b.conv(b.input("x", ("N", 3, 12, 12)), (3, 8), strides=[2, 2], pads=[1, 1, 1, 1]))
    for _ in range(2):
        y = b.node("Relu", b.conv(x, (8, 8), pads=[1, 1, 1, 1]))
        x = b.node("Relu", b.node("Add", x, b.conv(y, (8, 8), pads=[1, 1, 1, 1])))
    x = b.node("Flatten", b.node("GlobalAveragePool", x))
    b.output(b.node("Gemm", x, b.weights((5, 8)), b.constant(b.rng.normal(size=5)), transB=1))
