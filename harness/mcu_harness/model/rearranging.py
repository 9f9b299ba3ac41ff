"""Operators that only put elements elsewhere: what shape each gives, and which element of the input goes where.

Each is described by a NumPy view on an input of its shape. The view's row-major order is that of the output; its strides are all that code
generation needs. No view holds data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.model.operation import Operation, Shape, ShapeError, axis_of

View = npt.NDArray[np.generic]


def without_data(shape: Sequence[int], element_bytes: int) -> View:
    """An array whose strides are those of a dense one, over a single element: only for looking at strides."""
    dense = [element_bytes * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return np.lib.stride_tricks.as_strided(np.zeros(1, f"V{element_bytes}"), tuple(shape), dense, writeable=False)


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


def _blocks(op: Operation, rank: int) -> tuple[Shape, tuple[tuple[int, int], ...]]:
    """Block sizes and, for each of these dimensions, what is padded or cropped before and after."""
    sizes, borders = op.indices(1), op.indices(2)
    if rank not in (3, 4) or len(sizes) != rank - 2 or len(borders) != 2 * len(sizes):
        raise ShapeError(
            f"blocks {sizes} and borders {borders} do not fit {rank} dimensions, of which 3 or 4 are possible"
        )
    if min(sizes) < 1 or min(borders) < 0:
        raise ShapeError(f"blocks {sizes} must be positive, borders {borders} not negative")
    return sizes, tuple(zip(borders[0::2], borders[1::2], strict=True))


def batch_to_space_shape(op: Operation) -> tuple[Shape, ...]:
    sizes, crops = _blocks(op, len(op.shape()))
    if op.shape()[0] % math.prod(sizes):
        raise ShapeError(f"{op.shape()[0]} batches are no multiple of the block's {math.prod(sizes)} elements")
    pairs = zip(op.shape()[1:-1], sizes, crops, strict=True)
    whole = [size * block - sum(crop) for size, block, crop in pairs]
    if min(whole) < 1:
        raise ShapeError(f"cropping {crops} leaves nothing of {op.shape()[1:-1]} times {sizes}")
    return ((op.shape()[0] // math.prod(sizes), *whole, op.shape()[-1]),)


def space_to_batch_shape(op: Operation) -> tuple[Shape, ...]:
    sizes, pads = _blocks(op, len(op.shape()))
    padded = [size + sum(pad) for size, pad in zip(op.shape()[1:-1], pads, strict=True)]
    if any(size % block for size, block in zip(padded, sizes, strict=True)):
        raise ShapeError(f"padded to {padded}, it is no multiple of the blocks {sizes}")
    blocks = (size // block for size, block in zip(padded, sizes, strict=True))
    return ((op.shape()[0] * math.prod(sizes), *blocks, op.shape()[-1]),)


def blocked(op: Operation, images: View, batches: View) -> list[tuple[View, View]]:
    """The parts of `images` and of `batches` that hold the same elements, one pair for each element of a block.

    For SPACE_TO_BATCH_ND, which goes from images to batches, and BATCH_TO_SPACE_ND, which goes back: the borders are what
    images lack of whole blocks.
    """
    sizes, borders = _blocks(op, images.ndim)
    count = images.shape[0]
    pairs = []
    for number, within in enumerate(np.ndindex(*sizes)):
        of_images: list[slice] = [slice(None)]
        of_batches = [slice(number * count, (number + 1) * count)]
        for axis, (block, (before, _), offset) in enumerate(zip(sizes, borders, within, strict=True), start=1):
            first = max(0, -((offset - before) // block))  # the first block whose element lies in the image
            start = first * block + offset - before
            length = len(range(start, images.shape[axis], block))
            of_images.append(slice(start, None, block))
            of_batches.append(slice(first, first + length))
        pair = images[tuple(of_images)], batches[tuple(of_batches)]
        if pair[0].size:
            pairs.append(pair)
    return pairs


# The input of these is operand 0; views whose dimensions are parts of the output's.
VIEWS: dict[str, Callable[[Operation, View], View]] = {
    "SLICE": _slice,
    "BROADCAST_TO": _broadcast_to,
    "TILE": _tile,
    "REVERSE_V2": _reverse,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
}


def _view_shape(operator: str) -> Callable[[Operation], tuple[Shape, ...]]:
    def shapes(op: Operation) -> tuple[Shape, ...]:
        view = VIEWS[operator](op, without_data(op.shape(), 1))
        return (_joined[operator](view.shape),)

    return shapes


def _pairs(shape: Shape) -> Shape:
    return tuple(outer * inner for outer, inner in zip(shape[0::2], shape[1::2], strict=True))


_joined: dict[str, Callable[[Shape], Shape]] = {
    "SLICE": tuple,
    "BROADCAST_TO": tuple,
    "REVERSE_V2": tuple,
    "TILE": _pairs,
    "DEPTH_TO_SPACE": lambda shape: (shape[0], shape[1] * shape[2], shape[3] * shape[4], shape[5]),
    "SPACE_TO_DEPTH": lambda shape: (shape[0], shape[1], shape[2], shape[3] * shape[4] * shape[5]),
}
VIEW_SHAPES = {operator: _view_shape(operator) for operator in VIEWS}
