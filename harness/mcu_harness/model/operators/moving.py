"""Operators that put elements elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcu_harness.model.operation import Operation, Shape, ShapeError, View, axis_of
from mcu_harness.model.operators.operator import ANY, Operator, Role
from mcu_harness.model.operators.options import Option, OptionTable, options
from mcu_harness.model.rearranging import batch_to_space_shape, space_to_batch_shape, without_data
from mcu_harness.model.slices import picked


def _slice(op: Operation, source: View) -> View:
    begin, size = op.indices(1), op.indices(2)
    if not len(begin) == len(size) == source.ndim:
        raise ShapeError(f"begin and size have {len(begin)} and {len(size)} entries for {source.ndim} dimensions")
    picks = []
    for axis, (start, count) in enumerate(zip(begin, size, strict=True)):
        length = source.shape[axis] - start if count == -1 else count
        if start < 0 or length < 1 or start + length > source.shape[axis]:
            raise ShapeError(f"{count} elements from {start} leave axis {axis} of size {source.shape[axis]}")
        picks.append(slice(start, start + length))
    return source[tuple(picks)]


def _broadcast_to(op: Operation, source: View) -> View:
    shape = op.indices(1)
    fits = len(shape) >= source.ndim and all(
        size in (1, wanted) for size, wanted in zip(source.shape[::-1], shape[::-1], strict=False)
    )
    if not fits or min(shape, default=1) < 1:
        raise ShapeError(f"{source.shape} cannot be broadcast to {shape}")
    return np.broadcast_to(source, shape)


def _tile(op: Operation, source: View) -> View:
    times = op.indices(1)
    if len(times) != source.ndim or min(times, default=1) < 1:
        raise ShapeError(f"{times} says not how often each of {source.ndim} dimensions is repeated")
    apart = source.reshape([part for size in source.shape for part in (1, size)])
    return np.broadcast_to(apart, [part for pair in zip(times, source.shape, strict=True) for part in pair])


def _reverse(op: Operation, source: View) -> View:
    backwards = {axis_of(axis, source.ndim) for axis in op.indices(1)}
    return source[tuple(slice(None, None, -1 if axis in backwards else 1) for axis in range(source.ndim))]


def _image(op: Operation, source: View) -> tuple[int, int, int, int, int]:
    block = op.number("block_size")
    if source.ndim != 4 or block < 1:
        raise ShapeError(f"the input {source.shape} must have four dimensions, and block_size {block} be positive")
    n, h, w, c = source.shape
    return n, h, w, c, block


def _depth_to_space(op: Operation, source: View) -> View:
    n, h, w, c, block = _image(op, source)
    if c % (block * block):
        raise ShapeError(f"{c} channels are no multiple of block_size squared, {block * block}")
    return source.reshape(n, h, w, block, block, c // block**2).transpose(0, 1, 3, 2, 4, 5)


def _space_to_depth(op: Operation, source: View) -> View:
    n, h, w, c, block = _image(op, source)
    if h % block or w % block:
        raise ShapeError(f"{h} x {w} is no multiple of block_size {block}")
    return source.reshape(n, h // block, block, w // block, block, c).transpose(0, 1, 3, 2, 4, 5)


def _transpose(op: Operation) -> tuple[Shape, ...]:
    shape, order = op.shape(), op.indices(1)
    axes = tuple(axis_of(axis, len(shape)) for axis in order)
    if sorted(axes) != list(range(len(shape))):
        raise ShapeError(f"{order} is not an order of {len(shape)} dimensions")
    return (tuple(shape[axis] for axis in axes),)


def _gather(op: Operation) -> tuple[Shape, ...]:
    shape, axis = op.shape(), axis_of(op.number("axis"), len(op.shape()))
    if op.number("batch_dims"):
        raise ShapeError(f"batch_dims is {op.number('batch_dims')}, expected 0")
    indices = op.operand(1)
    if indices.is_constant and not all(0 <= index < shape[axis] for index in op.indices(1)):
        raise ShapeError(f"an index is outside axis {axis} of size {shape[axis]}")
    return ((*shape[:axis], *indices.shape, *shape[axis + 1 :]),)


def _gather_nd(op: Operation) -> tuple[Shape, ...]:
    shape, indices = op.shape(), op.operand(1)
    axes = indices.shape[-1] if indices.shape else 0
    if not 1 <= axes <= len(shape):
        raise ShapeError(f"indices of shape {indices.shape} do not name places in {shape}")
    if indices.is_constant and not all(0 <= index < shape[k % axes] for k, index in enumerate(op.indices(1))):
        raise ShapeError(f"an index is outside {shape[:axes]}")
    return ((*indices.shape[:-1], *shape[axes:]),)


def _fill(op: Operation) -> tuple[Shape, ...]:
    if op.shape(1) not in ((), (1,)) or min(op.indices(0), default=1) < 1:
        raise ShapeError(f"{op.shape(1)} is not one value, or {op.indices(0)} not a shape")
    return (op.indices(0),)


def _embedding_lookup(op: Operation) -> tuple[Shape, ...]:
    indices, table = op.operand(0), op.shape(1)
    if len(indices.shape) != 1 or len(table) < 2:
        raise ShapeError(
            f"indices {indices.shape} and a table of shape {table}, expected one dimension and two or more"
        )
    if indices.is_constant and not all(0 <= index < table[0] for index in op.indices(0)):
        raise ShapeError(f"an index is outside {table[0]} rows")
    return ((*indices.shape, *table[1:]),)


def _strided_slice(op: Operation) -> tuple[Shape, ...]:
    return (picked(op).shape,)


def _viewed(
    name: str,
    inputs: tuple[Role, ...],
    kind: OptionTable,
    view: Callable[[Operation, View], View],
    joined: Callable[[Shape], Shape] = tuple,
) -> Operator:
    """The row of an operator that is a view; the view's dimensions, which `joined` joins, are parts of the output's."""

    def shapes(op: Operation) -> tuple[Shape, ...]:
        return (joined(view(op, without_data(op.shape(), 1)).shape),)

    return Operator(name, inputs, shapes, kind, keeps_quantization=True, types=ANY, view=view)


def _pairs(shape: Shape) -> Shape:
    return tuple(outer * inner for outer, inner in zip(shape[0::2], shape[1::2], strict=True))


def _image_of_blocks(shape: Shape) -> Shape:
    return shape[0], shape[1] * shape[2], shape[3] * shape[4], shape[5]


def _blocks_of_image(shape: Shape) -> Shape:
    return shape[0], shape[1], shape[2], shape[3] * shape[4] * shape[5]


_MOVED = (Role.ACTIVATION, Role.INDICES)
_PICKED = (Role.ACTIVATION, Role.INDICES, Role.INDICES)
_BLOCK_SIZE = Option("block_size", 0)


OPERATORS = (
    _viewed("SLICE", _PICKED, options(48), _slice),
    _viewed("TILE", _MOVED, options(51), _tile, _pairs),
    _viewed("BROADCAST_TO", _MOVED, options(104), _broadcast_to),
    _viewed("REVERSE_V2", _MOVED, options(81), _reverse),
    _viewed("DEPTH_TO_SPACE", (Role.ACTIVATION,), options(94, _BLOCK_SIZE), _depth_to_space, _image_of_blocks),
    _viewed("SPACE_TO_DEPTH", (Role.ACTIVATION,), options(19, _BLOCK_SIZE), _space_to_depth, _blocks_of_image),
    Operator("TRANSPOSE", _MOVED, _transpose, options(26), keeps_quantization=True, types=ANY),
    Operator(
        "STRIDED_SLICE",
        (*_PICKED, Role.INDICES),
        _strided_slice,
        options(
            32,
            Option("begin_mask", 0),
            Option("end_mask", 1),
            Option("ellipsis_mask", 2),
            Option("new_axis_mask", 3),
            Option("shrink_axis_mask", 4),
            Option("offset", 5, False),
        ),
        keeps_quantization=True,
        types=ANY,
    ),
    Operator(
        "BATCH_TO_SPACE_ND", _PICKED, batch_to_space_shape, options(24), keeps_quantization=True, types=ANY, max_rank=4
    ),
    Operator(
        "SPACE_TO_BATCH_ND", _PICKED, space_to_batch_shape, options(25), keeps_quantization=True, types=ANY, max_rank=4
    ),
    Operator("FILL", (Role.INDICES, Role.MOVED), _fill, options(68), output=Role.MOVED, keeps_quantization=True),
    Operator("EMBEDDING_LOOKUP", (Role.NUMBERS, Role.VALUE), _embedding_lookup, keeps_quantization=True, types=ANY),
    Operator(
        "GATHER",
        (Role.VALUE, Role.NUMBERS),
        _gather,
        options(23, Option("axis", 0), Option("batch_dims", 1)),
        keeps_quantization=True,
        types=ANY,
    ),
    Operator("GATHER_ND", (Role.VALUE, Role.NUMBERS), _gather_nd, options(83), keeps_quantization=True, types=ANY),
)
