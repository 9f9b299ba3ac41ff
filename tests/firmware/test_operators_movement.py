"""Operators that only move data: TRANSPOSE, STRIDED_SLICE, SPLIT, CONCATENATION, PAD, PADV2, RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder

CASES = 60


def random_shape(builder: ModelBuilder, ranks: Sequence[int] = (1, 2, 3, 4, 5)) -> tuple[int, ...]:
    rank = int(builder.rng.choice(ranks))
    return tuple(builder.rng.integers(1, 7, size=rank).tolist())


def add_transpose(builder: ModelBuilder) -> None:
    shape = random_shape(builder)
    order = builder.rng.permutation(len(shape)).tolist()
    builder.output(builder.transpose(builder.input(shape), order))


def add_strided_slice(builder: ModelBuilder) -> None:
    shape = random_shape(builder, (1, 2, 3, 4))
    picks = [random_pick(builder, size) for size in shape]
    begin, end, strides = zip(*picks, strict=True)
    builder.output(builder.strided_slice(builder.input(shape), begin, end, strides))


def random_pick(builder: ModelBuilder, size: int) -> tuple[int, int, int]:
    """A begin, end and stride, indices out of range too, that leave something of a dimension."""
    while True:
        begin, end = builder.rng.integers(-size - 1, size + 2, size=2).tolist()
        stride = int(builder.rng.choice([-3, -2, -1, 1, 2, 3]))
        if range(size)[begin:end:stride]:
            return begin, end, stride


def add_split(builder: ModelBuilder) -> None:
    shape = list(random_shape(builder))
    axis, parts = int(builder.rng.integers(-len(shape), len(shape))), int(builder.rng.integers(1, 5))
    shape[axis] *= parts
    builder.output(*builder.split(builder.input(shape), axis, parts))


def add_concatenation(builder: ModelBuilder) -> None:
    shape = list(random_shape(builder))
    axis, parts = int(builder.rng.integers(-len(shape), len(shape))), []
    for _ in range(int(builder.rng.integers(1, 5))):
        shape[axis] = int(builder.rng.integers(1, 6))
        parts.append(builder.input(shape))
    if builder.rng.random() < 0.3:
        values = builder.rng.integers(-128, 128, size=shape).astype(np.int8)
        same = builder.tensors[parts[0]]
        parts.append(builder.constant(values, same.scales[0], same.zero_points[0]))
        builder.rng.shuffle(parts)
    builder.output(builder.concatenation(parts, axis))


def add_pad(builder: ModelBuilder) -> None:
    shape = random_shape(builder)
    paddings = builder.rng.integers(0, 4, size=(len(shape), 2)).tolist()
    value = None if builder.rng.random() < 0.5 else int(builder.rng.integers(-128, 128))
    builder.output(builder.pad(builder.input(shape, zero_point=int(builder.rng.integers(-128, 128))), paddings, value))


def add_resize(builder: ModelBuilder) -> None:
    n, c = builder.rng.integers(1, 4, size=2).tolist()
    height, width, *size = builder.rng.integers(1, 20, size=4).tolist()
    corners = bool(builder.rng.random() < 0.5)
    centers = not corners and bool(builder.rng.random() < 0.5)  # LiteRT and TensorFlow refuse both at once
    x = builder.input((n, height, width, c))
    builder.output(builder.resize_nearest_neighbor(x, tuple(size), align_corners=corners, half_pixel_centers=centers))


def add_padding_of_another_quantisation(builder: ModelBuilder) -> None:
    """The bytes are copied as they are; around them comes the zero point of the output."""
    shape = random_shape(builder)
    paddings = builder.rng.integers(0, 3, size=(len(shape), 2)).tolist()
    result = [size + before + after for size, (before, after) in zip(shape, paddings, strict=True)]
    operands = [builder.input(shape), builder.constant(paddings)]
    builder.output(builder.operator("PAD", operands, builder.tensor(result, 0.11, int(builder.rng.integers(-99, 99)))))


def add_masked_slice(builder: ModelBuilder) -> None:
    """A slice as NumPy would write it: ranges, ranges with open ends, single indices, new axes."""
    shape = random_shape(builder, (1, 2, 3, 4))
    named = int(builder.rng.integers(1, len(shape) + 1))
    kinds = ["range"] * named + ["new"] * int(builder.rng.integers(0, 6 - len(shape)))
    index: list[object] = []
    masks, rows, axis = dict.fromkeys(("begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask"), 0), [], 0
    for entry, kind in enumerate(builder.rng.permutation(kinds)):
        row, bit, choice = (0, 0, 1), 1 << entry, builder.rng.random()
        if kind == "new":
            index.append(None)
            masks["new_axis_mask"] |= bit
            rows.append(row)
            continue
        size = shape[axis]
        axis += 1
        if choice < 0.3:
            at = int(builder.rng.integers(-size, size))
            row = (at, at + 1, 1)
            index.append(at)
            masks["shrink_axis_mask"] |= bit
        elif choice < 0.5:
            row = (0, 0, -1)
            index.append(slice(None, None, -1))
            masks["begin_mask"] |= bit
            masks["end_mask"] |= bit
        else:
            row = random_pick(builder, size)
            index.append(slice(*row))
        rows.append(row)
    operands = [builder.input(shape), *(builder.constant(list(column)) for column in zip(*rows, strict=True))]
    out = builder.tensor(np.zeros(shape)[tuple(index)].shape, 0.05, -3)
    builder.output(builder.operator("STRIDED_SLICE", operands, out, **masks))


@pytest.mark.parametrize(
    "add",
    [
        add_transpose,
        add_strided_slice,
        add_split,
        add_concatenation,
        add_pad,
        add_resize,
        add_padding_of_another_quantisation,
        add_masked_slice,
    ],
    ids=lambda f: f.__name__,
)
def test_random_configurations_equal_the_reference(add: Callable[[ModelBuilder], None], tmp_path: Path) -> None:
    builder = ModelBuilder(seed=7)
    for _ in range(CASES):
        add(builder)
    check_against_reference(builder, tmp_path, samples=2)


def test_up_to_eight_dimensions_equal_the_reference(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=17)
    for _ in range(CASES // 4):
        shape = builder.rng.integers(1, 4, size=int(builder.rng.integers(6, 9))).tolist()
        x = builder.input(shape)
        builder.output(builder.transpose(x, builder.rng.permutation(len(shape)).tolist()))
        builder.output(builder.concatenation([x, x], int(builder.rng.integers(len(shape)))))
        builder.output(*builder.split(builder.concatenation([x, x], 3), 3, 2))
        picks = [random_pick(builder, size) for size in shape]
        builder.output(builder.strided_slice(x, *zip(*picks, strict=True)))
        few = [size if builder.rng.random() < 0.6 else 1 for size in shape]
        for operator in ("ADD", "SUB", "MUL"):
            builder.output(builder.binary(operator, x, builder.input(few)))
        builder.output(builder.softmax(builder.unary("RELU", x)))
    check_against_reference(builder, tmp_path, samples=2)


def test_runs_longer_than_a_word_copy_are_moved_whole(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=8)
    for channels in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 70):
        x = builder.input((1, 4, 5, channels))
        builder.output(builder.pad(x, [(0, 0), (1, 2), (0, 1), (0, 0)]))
        builder.output(builder.transpose(x, [0, 2, 1, 3]))
        builder.output(builder.strided_slice(x, [0, -1, 0, 0], [1, -9, 5, channels], [1, -2, 2, 1]))
        builder.output(builder.resize_nearest_neighbor(x, (9, 7)))
    check_against_reference(builder, tmp_path, samples=2)


def test_slices_apply_their_masks(tmp_path: Path) -> None:
    """begin_mask and end_mask open a range, shrink_axis_mask takes one index and drops the dimension."""
    builder = ModelBuilder(seed=9)
    for begin_mask, end_mask, shrink, shape in (
        (0b001, 0b000, 0b000, (3, 1, 6)),
        (0b100, 0b100, 0b000, (2, 1, 6)),
        (0b000, 0b000, 0b010, (2, 6)),
        (0b111, 0b111, 0b000, (4, 5, 6)),
        (0b100, 0b100, 0b011, (6,)),
    ):
        x = builder.input((4, 5, 6))
        operands = [x, builder.constant([1, -2, 0]), builder.constant([3, -1, 6]), builder.constant([1, 1, 1])]
        out = builder.tensor(shape, 0.05, -3)
        builder.output(
            builder.operator(
                "STRIDED_SLICE", operands, out, begin_mask=begin_mask, end_mask=end_mask, shrink_axis_mask=shrink
            )
        )
    check_against_reference(builder, tmp_path, samples=2)
