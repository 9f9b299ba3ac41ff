"""The shapes and NumPy views of operators that put elements elsewhere, where they are more than a line. No view holds data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mcu_harness.model.operation import Operation, Shape, ShapeError, View


def without_data(shape: Sequence[int], element_bytes: int) -> View:
    """An array whose strides are those of a dense one, over a single element: only for looking at strides."""
    dense = [element_bytes * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return np.lib.stride_tricks.as_strided(np.zeros(1, f"V{element_bytes}"), tuple(shape), dense, writeable=False)


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
