"""What shape an operator's outputs have, from its inputs and options alone: one small rule an operator.

The rules are TensorFlow Lite's. They are what keeps a model file from describing an output that is smaller than what
its kernel writes. Constant operands are read from the graph, so validate roles and types first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operation import Operation, Shape, ShapeError, axis_of
from mcu_harness.model.rearranging import VIEW_SHAPES, batch_to_space_shape, space_to_batch_shape
from mcu_harness.model.slices import picked

MAX_STEP = 32767  # of strides, windows and dilations: LiteRT's own limit in DEPTHWISE_CONV_2D


def output_shapes(graph: Graph, layer: Layer) -> tuple[Shape, ...]:
    """The shapes that `layer`'s outputs must have; raises ShapeError when its inputs make no sense."""
    return RULES[layer.operator](Operation.of(graph, layer))


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


def _expect_rank(shape: Shape, rank: int, what: str) -> None:
    if len(shape) != rank:
        raise ShapeError(f"{what} has {len(shape)} dimensions {shape}, expected {rank}")


def _windows(op: Operation, kernel: Sequence[int], dilation: Sequence[int]) -> Shape:
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


def _convolved(op: Operation, channels: int) -> tuple[Shape, ...]:
    _expect_bias(op, channels)
    filter_shape, dilation = op.shape(1), (op.number("dilation_h_factor"), op.number("dilation_w_factor"))
    return ((op.shape()[0], *_windows(op, filter_shape[1:3], dilation), channels),)


def _expect_bias(op: Operation, channels: int) -> None:
    bias = op.inputs[2] if len(op.inputs) > 2 else None
    if bias is not None and bias.elements != channels:
        raise ShapeError(f"the bias has {bias.elements} entries for {channels} channels")


def _conv_2d(op: Operation) -> tuple[Shape, ...]:
    _expect_rank(op.shape(), 4, "the input")
    _expect_rank(op.shape(1), 4, "the filter")
    if op.shape(1)[3] != op.shape()[3]:
        raise ShapeError(f"the filter {op.shape(1)} does not span the {op.shape()[3]} input channels (groups)")
    return _convolved(op, op.shape(1)[0])


def _depthwise_conv_2d(op: Operation) -> tuple[Shape, ...]:
    _expect_rank(op.shape(), 4, "the input")
    _expect_rank(op.shape(1), 4, "the filter")
    first, channels = op.shape(1)[0], op.shape(1)[3]
    # The option depth_multiplier says the same once more, and some writers leave it out: LiteRT goes by the shapes too.
    if first != 1 or channels % op.shape()[3]:
        raise ShapeError(f"the filter {op.shape(1)} is not [1, height, width, a multiple of {op.shape()[3]} channels]")
    return _convolved(op, channels)


def _fully_connected(op: Operation) -> tuple[Shape, ...]:
    _expect_rank(op.shape(1), 2, "the filter")
    units, depth = op.shape(1)
    elements = math.prod(op.shape())
    _expect_bias(op, units)
    if op.attributes["keep_num_dims"]:
        if not op.shape() or op.shape()[-1] != depth:
            raise ShapeError(f"the filter {op.shape(1)} does not fit the input {op.shape()}")
        return ((*op.shape()[:-1], units),)
    if elements % depth:
        raise ShapeError(f"the filter {op.shape(1)} does not fit the input {op.shape()}")
    return ((elements // depth, units),)


def _pool(op: Operation) -> tuple[Shape, ...]:
    _expect_rank(op.shape(), 4, "the input")
    n, _, _, channels = op.shape()
    kernel = (op.number("filter_height"), op.number("filter_width"))
    return ((n, *_windows(op, kernel, (1, 1)), channels),)


def _same(op: Operation) -> tuple[Shape, ...]:
    return (op.shape(),)


def _softmax(op: Operation) -> tuple[Shape, ...]:
    if not op.shape():
        raise ShapeError("the input has no dimensions")
    return (op.shape(),)


def _binary(op: Operation) -> tuple[Shape, ...]:
    return (broadcast(op.shape(0), op.shape(1)),)


def _reshape(op: Operation) -> tuple[Shape, ...]:
    wanted = op.attributes.get("new_shape", ())
    if len(op.inputs) > 1 and op.inputs[1] is not None and len(op.shape(1)) == 1:
        wanted = op.indices(1)
    assert isinstance(wanted, tuple)
    elements, known = math.prod(op.shape()), math.prod(size for size in wanted if size != -1)
    if wanted.count(-1) > 1 or any(size < -1 for size in wanted):
        raise ShapeError(f"{wanted} is not a shape")
    if known == 0 or elements % known or (-1 not in wanted and elements != known):
        raise ShapeError(f"{elements} elements do not fit the shape {wanted}")
    return (tuple(elements // known if size == -1 else size for size in wanted),)


def _squeeze(op: Operation) -> tuple[Shape, ...]:
    shape, named = op.shape(), op.attributes["squeeze_dims"]
    assert isinstance(named, tuple)
    gone = {axis_of(axis, len(shape)) for axis in named} or {axis for axis, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in gone):
        raise ShapeError(f"only dimensions of size 1 can be squeezed out of {shape}")
    return (tuple(size for axis, size in enumerate(shape) if axis not in gone),)


def _expand_dims(op: Operation) -> tuple[Shape, ...]:
    axes, shape = op.indices(1), op.shape()
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape) + 1)
    return ((*shape[:axis], 1, *shape[axis:]),)


def _mean(op: Operation) -> tuple[Shape, ...]:
    gone, shape = reduced_axes(op), op.shape()
    if op.attributes["keep_dims"]:
        return (tuple(1 if axis in gone else size for axis, size in enumerate(shape)),)
    return (tuple(size for axis, size in enumerate(shape) if axis not in gone),)


def _pad(op: Operation) -> tuple[Shape, ...]:
    if op.shape(1) != (len(op.shape()), 2):
        raise ShapeError(f"the paddings {op.shape(1)} are not [{len(op.shape())}, 2]")
    flat = op.indices(1)
    if min(flat, default=0) < 0:
        raise ShapeError("paddings must not be negative")
    return (tuple(size + flat[2 * axis] + flat[2 * axis + 1] for axis, size in enumerate(op.shape())),)


def _concatenation(op: Operation) -> tuple[Shape, ...]:
    shapes = [op.shape(position) for position in range(len(op.inputs))]
    axis = axis_of(op.number("axis"), len(shapes[0]))
    if any((*s[:axis], *s[axis + 1 :]) != (*shapes[0][:axis], *shapes[0][axis + 1 :]) for s in shapes):
        raise ShapeError(f"shapes {shapes[:8]} cannot be joined along axis {axis}")
    return ((*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :]),)


def _split(op: Operation) -> tuple[Shape, ...]:
    axes, shape, parts = op.indices(0), op.shape(1), op.number("num_splits")
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape))
    if parts != len(op.outputs) or shape[axis] % parts:
        raise ShapeError(f"axis {axis} of {shape} cannot be split into {parts} parts and {len(op.outputs)} outputs")
    return ((*shape[:axis], shape[axis] // parts, *shape[axis + 1 :]),) * parts


def _transpose(op: Operation) -> tuple[Shape, ...]:
    shape, order = op.shape(), op.indices(1)
    axes = tuple(axis_of(axis, len(shape)) for axis in order)
    if sorted(axes) != list(range(len(shape))):
        raise ShapeError(f"{order} is not an order of {len(shape)} dimensions")
    return (tuple(shape[axis] for axis in axes),)


def _resize(op: Operation) -> tuple[Shape, ...]:
    _expect_rank(op.shape(), 4, "the input")
    size = op.indices(1)
    if len(size) != 2 or min(size) < 1:
        raise ShapeError(f"{size} is not a height and width")
    return ((op.shape()[0], *size, op.shape()[3]),)


def _split_v(op: Operation) -> tuple[Shape, ...]:
    sizes, axes, shape = op.indices(1), op.indices(2), op.shape()
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape))
    known = sum(size for size in sizes if size != -1)
    parts = tuple(shape[axis] - known if size == -1 else size for size in sizes)
    if sizes.count(-1) > 1 or len(parts) != len(op.outputs) or min(parts) < 1 or sum(parts) != shape[axis]:
        raise ShapeError(f"axis {axis} of {shape} cannot be split into {sizes} for {len(op.outputs)} outputs")
    return tuple((*shape[:axis], part, *shape[axis + 1 :]) for part in parts)


def _pack(op: Operation) -> tuple[Shape, ...]:
    shape = op.shape()
    if any(op.shape(position) != shape for position in range(len(op.inputs))):
        raise ShapeError("the inputs have different shapes")
    axis = axis_of(op.number("axis"), len(shape) + 1)
    return ((*shape[:axis], len(op.inputs), *shape[axis:]),)


def _unpack(op: Operation) -> tuple[Shape, ...]:
    shape, axis = op.shape(), axis_of(op.number("axis"), len(op.shape()))
    if shape[axis] != len(op.outputs):
        raise ShapeError(f"{shape[axis]} parts for {len(op.outputs)} outputs")
    return ((*shape[:axis], *shape[axis + 1 :]),) * len(op.outputs)


def _gather(op: Operation) -> tuple[Shape, ...]:
    shape, axis = op.shape(), axis_of(op.number("axis"), len(op.shape()))
    if op.number("batch_dims"):
        raise ShapeError(f"batch_dims is {op.number('batch_dims')}, expected 0")
    indices = op.operand(1)
    if indices.is_constant and not all(0 <= index < shape[axis] for index in op.indices(1)):
        raise ShapeError(f"an index is outside axis {axis} of size {shape[axis]}")
    return ((*shape[:axis], *indices.shape, *shape[axis + 1 :]),)


def _mirror_pad(op: Operation) -> tuple[Shape, ...]:
    (shape,) = _pad(op)
    borders, reach = op.indices(1), int(op.attributes["mode"] == "REFLECT")
    if any(max(borders[2 * axis : 2 * axis + 2]) > size - reach for axis, size in enumerate(op.shape())):
        raise ShapeError(f"{op.shape()} is too small to be mirrored by {borders}")
    return (shape,)


def _prelu(op: Operation) -> tuple[Shape, ...]:
    if broadcast(op.shape(0), op.shape(1)) != op.shape(0):
        raise ShapeError(f"the slopes {op.shape(1)} are more than the input {op.shape(0)}")
    return (op.shape(0),)


def _transpose_conv(op: Operation) -> tuple[Shape, ...]:
    shape, filters, source = op.indices(0), op.shape(1), op.shape(2)
    _expect_rank(source, 4, "the input")
    _expect_rank(filters, 4, "the filter")
    strides = [op.number(f"stride_{letter}") for letter in "hw"]
    if not all(1 <= stride <= MAX_STEP for stride in strides):
        raise ShapeError(f"strides {strides} must each be 1 to {MAX_STEP}")
    if len(shape) != 4 or shape[0] != source[0] or shape[3] != filters[0] or filters[3] != source[3] or min(shape) < 1:
        raise ShapeError(f"the filter {filters} does not lead from {source} to {shape}")
    if len(op.inputs) > 3 and op.inputs[3] is not None and op.inputs[3].elements != filters[0]:
        raise ShapeError(f"the bias has {op.inputs[3].elements} entries for {filters[0]} channels")
    return (shape,)


def _arg_extremum(op: Operation) -> tuple[Shape, ...]:
    axes, shape = op.indices(1), op.shape()
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape))
    return ((*shape[:axis], *shape[axis + 1 :]),)


def _svdf(op: Operation) -> tuple[Shape, ...]:
    for position in range(3):
        _expect_rank(op.shape(position), 2, f"input {position}")
    (batches, inputs), (filters, columns), (rows, memory) = (op.shape(position) for position in range(3))
    rank = op.number("rank")
    if columns != inputs or rows != filters or rank < 1 or filters % rank:
        raise ShapeError(f"weights {op.shape(1)} and {op.shape(2)} of rank {rank} do not fit the input {op.shape()}")
    if op.shape(3) != (filters // rank,) or op.shape(4) != (batches, memory * filters):
        raise ShapeError(
            f"the bias {op.shape(3)} or the state {op.shape(4)} does not fit {filters} filters of {memory}"
        )
    if op.operand(2).dtype != op.operand(4).dtype:
        raise ShapeError(f"weights over time of {op.operand(2).dtype} for a state of {op.operand(4).dtype}")
    return ((batches, filters // rank),)


def _lstm(op: Operation) -> tuple[Shape, ...]:
    _expect_rank(op.shape(), 3, "the input")
    cells, inputs = op.shape(1)[0], op.shape()[2]
    batches = op.shape()[1 if op.attributes["time_major"] else 0]
    expected = {
        **dict.fromkeys(range(1, 5), (cells, inputs)),
        **dict.fromkeys(range(5, 9), (cells, cells)),
        **dict.fromkeys(range(12, 16), (cells,)),
        **dict.fromkeys((18, 19), (batches, cells)),
    }
    for position, shape in expected.items():
        if op.shape(position) != shape:
            raise ShapeError(f"input {position} has shape {op.shape(position)}, expected {shape}")
    return ((*op.shape()[:2], cells),)


RULES: dict[str, Callable[[Operation], tuple[Shape, ...]]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _binary,
    "SUB": _binary,
    "MUL": _binary,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
    "SOFTMAX": _softmax,
    "LOGISTIC": _same,
    "TANH": _same,
    "RELU": _same,
    "RELU6": _same,
    "LEAKY_RELU": _same,
    "HARD_SWISH": _same,
    "MEAN": _mean,
    "PAD": _pad,
    "PADV2": _pad,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "TRANSPOSE": _transpose,
    "STRIDED_SLICE": lambda op: (picked(op).shape,),
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "QUANTIZE": _same,
    "DEQUANTIZE": _same,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "TRANSPOSE_CONV": _transpose_conv,
    "SVDF": _svdf,
    "ARG_MAX": _arg_extremum,
    "ARG_MIN": _arg_extremum,
    "READ_VARIABLE": _same,
    "ASSIGN_VARIABLE": _same,
    **VIEW_SHAPES,
    "BATCH_TO_SPACE_ND": batch_to_space_shape,
    "SPACE_TO_BATCH_ND": space_to_batch_shape,
    "SPLIT_V": _split_v,
    "PACK": _pack,
    "UNPACK": _unpack,
    "GATHER": _gather,
    "MIRROR_PAD": _mirror_pad,
    "MAXIMUM": _binary,
    "MINIMUM": _binary,
    "SQUARED_DIFFERENCE": _binary,
    "PRELU": _prelu,
    "REDUCE_MAX": _mean,
    "REDUCE_MIN": _mean,
    "RESIZE_BILINEAR": _resize,
    "ABS": _same,
    "NEG": _same,
    "RSQRT": _same,
    "EXP": _same,
    "LOG": _same,
    "GELU": _same,
    "RELU_N1_TO_1": _same,
    "RELU_0_TO_1": _same,
}
