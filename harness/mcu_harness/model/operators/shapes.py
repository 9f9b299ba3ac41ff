"""Rules of output shapes that several families have in common."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.model.operation import Operation, Shape, ShapeError, axis_of

MAX_STEP = 32767  # of strides, windows and dilations: LiteRT's own limit in DEPTHWISE_CONV_2D


def broadcast(a: Shape, b: Shape) -> Shape:
    """NumPy's broadcasting of two shapes; raises ShapeError."""
    rank = max(len(a), len(b))
    left, right = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    if any(x != y and 1 not in (x, y) for x, y in zip(left, right, strict=True)):
        raise ShapeError(f"shapes {a} and {b} do not broadcast")
    return tuple(max(x, y) for x, y in zip(left, right, strict=True))


def reduced_axes(op: Operation) -> Shape:
    """The axes that MEAN averages over: not negative, sorted, each once."""
    return tuple(sorted({axis_of(axis, len(op.shape())) for axis in op.indices(1)}))


def expect_rank(shape: Shape, rank: int, what: str) -> None:
    if len(shape) != rank:
        raise ShapeError(f"{what} has {len(shape)} dimensions {shape}, expected {rank}")


def expect_bias(op: Operation, channels: int) -> None:
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    if bias is not None and bias.elements != channels:
        raise ShapeError(f"the bias has {bias.elements} entries for {channels} channels")


def windows(op: Operation, kernel: Sequence[int], dilation: Sequence[int]) -> Shape:
    """Output height and width of a sliding window (TensorFlow's SAME and VALID)."""
    sizes = []
    for axis, letter in ((0, "h"), (1, "w")):
        size, stride = op.shape()[axis + 1], op.number(f"stride_{letter}")
        steps = (stride, kernel[axis], dilation[axis])
        if min(steps) < 1 or max(steps) > MAX_STEP:
            raise ShapeError(f"stride, window and dilation {steps} must each be 1 to {MAX_STEP}")
        extent = 1 if op.attributes["padding"] == "SAME" else (kernel[axis] - 1) * dilation[axis] + 1
        if extent > size:
            raise ShapeError(f"a window of {extent} does not fit in {size} with VALID padding")
        sizes.append((size - extent) // stride + 1)
    return tuple(sizes)


def same(op: Operation) -> tuple[Shape, ...]:
    return (op.shape(),)


def broadcast_shape(op: Operation) -> tuple[Shape, ...]:
    return (broadcast(op.shape(0), op.shape(1)),)
