"""Loop nests of data movement: they move the right bytes, and are as short as they can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mcu_harness.model.codegen.strided_copy import Loop, StridedCopy, row_major_steps, strided_copy


def executed(copy: StridedCopy, source: bytes, destination_bytes: int) -> bytes:
    """What the copy leaves in a destination of zeros; fails on any byte outside of either."""
    result = bytearray(destination_bytes)
    for turn in itertools.product(*(range(loop.count) for loop in copy.loops)):
        to = copy.destination_offset + sum(i * loop.destination_step for i, loop in zip(turn, copy.loops, strict=True))
        start = copy.source_offset + sum(i * loop.source_step for i, loop in zip(turn, copy.loops, strict=True))
        assert 0 <= to <= to + copy.run_bytes <= len(result)
        assert 0 <= start <= start + copy.run_bytes <= len(source)
        result[to : to + copy.run_bytes] = source[start : start + copy.run_bytes]
    return bytes(result)


def transposition(shape: tuple[int, ...], order: tuple[int, ...], element_bytes: int) -> StridedCopy:
    source_steps = row_major_steps(shape, element_bytes)
    result_steps = row_major_steps([shape[axis] for axis in order], element_bytes)
    return strided_copy(
        [Loop(shape[axis], step, source_steps[axis]) for axis, step in zip(order, result_steps, strict=True)],
        element_bytes,
    )


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_transposition_moves_every_element_as_numpy_does(order: tuple[int, ...], dtype: str) -> None:
    array = np.random.default_rng(0).integers(0, 100, size=(2, 3, 1, 4)).astype(dtype)
    copy = transposition(array.shape, order, array.itemsize)
    assert executed(copy, array.tobytes(), array.nbytes) == array.transpose(order).tobytes()


def test_identity_is_one_contiguous_copy() -> None:
    assert transposition((2, 3, 4), (0, 1, 2), 4) == StridedCopy((), 96)


def test_moving_a_dimension_of_one_is_one_contiguous_copy() -> None:
    assert transposition((5, 1, 4), (1, 0, 2), 1) == StridedCopy((), 20)


def test_dimensions_that_stay_together_become_one_loop() -> None:
    copy = transposition((2, 3, 4, 5), (2, 3, 0, 1), 1)
    assert {loop.count for loop in copy.loops} == {20, 6}


def test_contiguous_inner_dimensions_become_the_run() -> None:
    copy = transposition((2, 3, 4, 5), (1, 0, 2, 3), 2)
    assert copy.run_bytes == 40
    assert [loop.count for loop in copy.loops] == [2, 3]


def test_longest_loop_is_innermost() -> None:
    assert [loop.count for loop in transposition((40, 3), (0, 1), 1).loops] == []
    assert [loop.count for loop in transposition((40, 3), (1, 0), 1).loops] == [3, 40]
    assert [loop.count for loop in transposition((3, 40), (1, 0), 1).loops] == [3, 40]


def test_negative_steps_of_neighbouring_dimensions_merge() -> None:
    array = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
    loops = [Loop(2, 12, -12), Loop(3, 4, -4), Loop(4, 1, -1)]
    copy = strided_copy(loops, 1, source_offset=23)
    assert copy.loops == (Loop(24, 1, -1),)
    assert executed(copy, array.tobytes(), 24) == array[::-1, ::-1, ::-1].tobytes()


def test_an_empty_dimension_copies_nothing() -> None:
    assert strided_copy([Loop(3, 1, 1), Loop(0, 1, 1)], 1).run_bytes == 0
