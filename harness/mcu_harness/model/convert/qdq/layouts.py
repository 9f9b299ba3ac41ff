"""Orders of dimensions: which dimension of the original each dimension of a tensor here is.

ONNX convolutions have channels second, TFLite's have them last. A tensor keeps the order that its maker gave it;
transposing is then a change of the order alone, and bytes move only where a reader needs another one.
"""

from __future__ import annotations

from collections.abc import Sequence

Order = tuple[int, ...]  # dimension i here is dimension order[i] of the original


def plain(rank: int) -> Order:
    """Nothing moved."""
    return tuple(range(rank))


def channels_last(rank: int) -> Order:
    """(N, C, ...) as (N, ..., C)."""
    return (0, *range(2, rank), 1)


def laid_out(shape: Sequence[int], order: Order) -> tuple[int, ...]:
    """The shape here of what has `shape` in the original."""
    return tuple(shape[axis] for axis in order)


def same_bytes(shape: Sequence[int], one: Order, other: Order) -> bool:
    """Whether both orders put the elements in the same sequence: they differ in dimensions of size 1 alone."""
    return [axis for axis in one if shape[axis] != 1] == [axis for axis in other if shape[axis] != 1]


def transposed(order: Order, axes: Sequence[int]) -> Order:
    """The order, of the same bytes, for the original transposed by `axes` (new dimension i was dimension axes[i])."""
    place = {axis: new for new, axis in enumerate(axes)}
    return tuple(place[axis] for axis in order)


def reshaped(shape: Sequence[int], target: Sequence[int], order: Order) -> Order | None:
    """The order, of the same bytes, for the original reshaped from `shape` to `target`; None where there is none.

    A reshape joins and divides runs of neighbouring dimensions. Where the dimensions of each run lie together and in
    sequence here too, their bytes need not move.
    """
    runs = _runs(shape, target)
    result: list[int] = []
    here = [axis for axis in order if shape[axis] != 1]
    at = 0
    while at < len(here):
        run = next((run for run in runs if run[0][0] == here[at]), None)
        if run is None or tuple(here[at : at + len(run[0])]) != run[0]:
            return None
        result += run[1]
        at += len(run[0])
    return _with_ones(result, target)


def _runs(shape: Sequence[int], target: Sequence[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The shortest runs of dimensions, without those of size 1, with as many elements in `shape` as in `target`."""
    before = [axis for axis, size in enumerate(shape) if size != 1]
    after = [axis for axis, size in enumerate(target) if size != 1]
    runs = []
    i = j = 0
    while i < len(before) and j < len(after):
        first_i, first_j = i, j
        left, right = shape[before[i]], target[after[j]]
        while left != right:
            if left < right:
                i += 1
                left *= shape[before[i]]
            else:
                j += 1
                right *= target[after[j]]
        i, j = i + 1, j + 1
        runs.append((tuple(before[first_i:i]), tuple(after[first_j:j])))
    return runs


def _with_ones(order: Sequence[int], shape: Sequence[int]) -> Order:
    """`order` with the dimensions of size 1 put in: the batch first, others before the one that follows them."""
    result: list[int] = []
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    if ones[:1] == [0]:
        result.append(ones.pop(0))
    for axis in order:
        mine = [one for one in ones if one < axis and all(shape[k] == 1 for k in range(one, axis))]
        ones = [one for one in ones if one not in mine]
        result += [*mine, axis]
    return (*result, *ones)
