"""STRIDED_SLICE: what its begin, end, strides and masks pick, dimension by dimension, and the shape that is left.

The rules are TensorFlow's, which are NumPy's: each entry of begin, end and strides belongs to one dimension, in order,
except new axes, which belong to none. Ellipses and `offset` are refused before (harness/mcu_harness/model/checks.py): LiteRT
2.3.0 gives wrong shapes for an ellipsis that stands for no dimension, and reads beyond its arrays with `offset`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.model.operation import Operation, Shape, ShapeError


@dataclass(frozen=True, slots=True)
class Picked:
    """`slices` has one slice(start, stop, step) for every dimension of the input.

    `start` is a valid index and `len(range(start, stop, step))` elements are taken; `stop` is -1 where a descending
    slice runs down to index 0. `shape` is the output's: without the dimensions in shrink_axis_mask, which give one
    element each, and with the new axes.
    """

    slices: tuple[slice, ...]
    shape: Shape


def picked(op: Operation) -> Picked:
    """What `op` takes of its input; raises ShapeError."""
    shape, (begin, end, strides) = op.shape(), (op.indices(i) for i in (1, 2, 3))
    if not len(begin) == len(end) == len(strides):
        raise ShapeError(f"begin, end and strides have {len(begin)}, {len(end)}, {len(strides)} entries")
    new_axis = op.number("new_axis_mask")
    naming = sum(not new_axis >> entry & 1 for entry in range(len(begin)))
    if naming > len(shape):
        raise ShapeError(f"{naming} dimensions are named of {len(shape)}")
    slices: list[slice] = []
    sizes: list[int] = []
    for entry in range(len(begin)):
        if new_axis >> entry & 1:
            sizes.append(1)
            continue
        pick = _pick(op, entry, len(slices), begin[entry], end[entry], strides[entry])
        slices.append(pick)
        if not op.number("shrink_axis_mask") >> entry & 1:
            sizes.append(len(range(pick.start, pick.stop, pick.step)))
    rest = shape[len(slices) :]
    return Picked((*slices, *(slice(0, size, 1) for size in rest)), (*sizes, *rest))


def _pick(op: Operation, entry: int, axis: int, begin: int, end: int, stride: int) -> slice:
    size, bit = op.shape()[axis], 1 << entry
    if stride == 0:
        raise ShapeError(f"the stride of axis {axis} is 0")
    if op.number("shrink_axis_mask") & bit:
        start = 0 if op.number("begin_mask") & bit else begin + (size if begin < 0 else 0)
        if not 0 <= start < size or stride < 0:
            raise ShapeError(f"index {begin} is outside axis {axis} of size {size}")
        return slice(start, start + 1, 1)
    start_or_none = None if op.number("begin_mask") & bit else begin
    stop_or_none = None if op.number("end_mask") & bit else end
    pick = slice(*slice(start_or_none, stop_or_none, stride).indices(size))
    if len(range(pick.start, pick.stop, pick.step)) == 0:
        raise ShapeError(f"nothing is left of axis {axis}")
    return pick
