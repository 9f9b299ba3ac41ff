"""Operators that only put elements elsewhere, in random configurations, on this machine against LiteRT."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder

Rng = np.random.Generator


def _operator(
    b: ModelBuilder, code: str, x: int, shape: tuple[int, ...], operands: list[object], **options: object
) -> int:
    constants = [b.constant(np.array(operand, np.int32)) for operand in operands]
    return b.operator(code, [x, *constants], b.tensor(shape, 0.05, -3), **options)


def _shape(rng: Rng, rank: int) -> tuple[int, ...]:
    return tuple(int(size) for size in rng.integers(1, 7, rank))


def _slice(b: ModelBuilder, rng: Rng) -> int:
    shape = _shape(rng, int(rng.integers(1, 6)))
    begin = [int(rng.integers(size)) for size in shape]
    count = [int(rng.integers(1, size - at + 1)) for size, at in zip(shape, begin, strict=True)]
    size = [-1 if n + at == whole else n for n, at, whole in zip(count, begin, shape, strict=True)]
    return _operator(b, "SLICE", b.input(shape), tuple(count), [begin, size])


def _tile(b: ModelBuilder, rng: Rng) -> int:
    shape = _shape(rng, int(rng.integers(1, 5)))
    times = [int(t) for t in rng.integers(1, 4, len(shape))]
    return _operator(b, "TILE", b.input(shape), tuple(s * t for s, t in zip(shape, times, strict=True)), [times])


def _broadcast_to(b: ModelBuilder, rng: Rng) -> int:
    wanted = _shape(rng, int(rng.integers(2, 5)))
    kept = wanted[int(rng.integers(len(wanted))) :]
    shape = tuple(size if rng.integers(2) else 1 for size in kept)
    return _operator(b, "BROADCAST_TO", b.input(shape), wanted, [list(wanted)])


def _reverse(b: ModelBuilder, rng: Rng) -> int:
    shape = _shape(rng, 4)
    first = int(rng.integers(4))
    axes = list(range(first, int(rng.integers(first, 4)) + 1))  # LiteRT takes neighbours only
    return _operator(b, "REVERSE_V2", b.input(shape), shape, [axes])


def _mirror_pad(b: ModelBuilder, rng: Rng) -> int:
    mode = str(rng.choice(["REFLECT", "SYMMETRIC"]))
    shape = _shape(rng, int(rng.integers(2, 5)))
    most = [size - (mode == "REFLECT") for size in shape]
    borders = [[int(rng.integers(m + 1)), int(rng.integers(m + 1))] for m in most]
    result = tuple(size + sum(border) for size, border in zip(shape, borders, strict=True))
    return _operator(b, "MIRROR_PAD", b.input(shape), result, [borders], mode=mode)


def _depth_to_space(b: ModelBuilder, rng: Rng) -> int:
    block, (n, h, w, c) = int(rng.integers(1, 4)), _shape(rng, 4)
    x = b.input((n, h, w, c * block * block))
    return _operator(b, "DEPTH_TO_SPACE", x, (n, h * block, w * block, c), [], block_size=block)


def _space_to_depth(b: ModelBuilder, rng: Rng) -> int:
    block, (n, h, w, c) = int(rng.integers(1, 4)), _shape(rng, 4)
    x = b.input((n, h * block, w * block, c))
    return _operator(b, "SPACE_TO_DEPTH", x, (n, h, w, c * block * block), [], block_size=block)


def _space_to_batch(b: ModelBuilder, rng: Rng) -> int:
    blocks = [int(k) for k in rng.integers(1, 4, 2)]
    n, h, w, c = _shape(rng, 4)
    before = [int(k) for k in rng.integers(0, 4, 2)]
    after = [(-(size + start)) % block for size, start, block in zip((h, w), before, blocks, strict=True)]
    pads = [list(pair) for pair in zip(before, after, strict=True)]
    size = [(s + sum(pad)) // block for s, pad, block in zip((h, w), pads, blocks, strict=True)]
    shape = (n * blocks[0] * blocks[1], *size, c)
    return _operator(b, "SPACE_TO_BATCH_ND", b.input((n, h, w, c)), shape, [blocks, pads])


def _batch_to_space(b: ModelBuilder, rng: Rng) -> int:
    blocks = [int(k) for k in rng.integers(1, 4, 2)]
    n, h, w, c = _shape(rng, 4)
    whole = [size * block for size, block in zip((h, w), blocks, strict=True)]
    crops = [[int(k) for k in (rng.integers((size + 1) // 2), rng.integers((size + 1) // 2))] for size in whole]
    size = [s - sum(crop) for s, crop in zip(whole, crops, strict=True)]
    x = b.input((n * blocks[0] * blocks[1], h, w, c))
    return _operator(b, "BATCH_TO_SPACE_ND", x, (n, *size, c), [blocks, crops])


def _gather(b: ModelBuilder, rng: Rng) -> int:
    shape = _shape(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(len(shape)))
    indices = rng.integers(0, shape[axis], _shape(rng, int(rng.integers(1, 3))))
    result = (*shape[:axis], *indices.shape, *shape[axis + 1 :])
    return _operator(b, "GATHER", b.input(shape), result, [indices], axis=axis - len(shape) * int(rng.integers(2)))


def _pack(b: ModelBuilder, rng: Rng) -> int:
    shape, count = _shape(rng, int(rng.integers(1, 5))), int(rng.integers(1, 4))
    axis = int(rng.integers(len(shape) + 1))
    parts = [b.input(shape) for _ in range(count)]
    out = b.tensor((*shape[:axis], count, *shape[axis:]), 0.05, -3)
    return b.operator("PACK", parts, out, axis=axis, values_count=count)


def _unpack(b: ModelBuilder, rng: Rng) -> int:
    shape = _shape(rng, int(rng.integers(2, 5)))
    axis = int(rng.integers(len(shape)))
    outs = [b.tensor((*shape[:axis], *shape[axis + 1 :]), 0.05, -3) for _ in range(shape[axis])]
    b.operator("UNPACK", [b.input(shape)], outs, axis=axis, num=shape[axis])
    b.output(*outs[:-1])
    return outs[-1]


def _split_v(b: ModelBuilder, rng: Rng) -> int:
    shape = _shape(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(len(shape)))
    ends = sorted({0, shape[axis], *rng.integers(0, shape[axis] + 1, 2).tolist()})
    sizes = [end - start for start, end in itertools.pairwise(ends)]
    outs = [b.tensor((*shape[:axis], size, *shape[axis + 1 :]), 0.05, -3) for size in sizes]
    operands = [b.constant(np.array(sizes, np.int32)), b.constant(np.array(axis, np.int32))]
    b.operator("SPLIT_V", [b.input(shape), *operands], outs, num_splits=len(sizes))
    b.output(*outs[:-1])
    return outs[-1]


OPERATORS: tuple[Callable[[ModelBuilder, Rng], int], ...] = (
    _slice, _tile, _broadcast_to, _reverse, _mirror_pad, _depth_to_space, _space_to_depth, _space_to_batch,
    _batch_to_space, _gather, _pack, _unpack, _split_v,
)  # fmt: skip


@pytest.mark.parametrize("add", OPERATORS, ids=lambda add: add.__name__.strip("_"))
def test_random_rearrangements_give_the_reference_outputs(
    add: Callable[[ModelBuilder, Rng], int], tmp_path: Path
) -> None:
    rng, builder = np.random.default_rng(5), ModelBuilder(5)
    for _ in range(25):
        builder.output(add(builder, rng))
    check_against_reference(builder, tmp_path, samples=2, share=True)


def test_constants_that_are_only_moved_fold_away(tmp_path: Path) -> None:
    """Converters leave a constant's RESHAPE and TILE in the model."""
    builder = ModelBuilder(1)
    x = builder.input((1, 4, 6, 3))
    row = builder.constant(np.arange(9).astype(np.int8), 0.1, 2)
    column = builder.operator("RESHAPE", [row, builder.constant([1, 1, 3, 3])], builder.tensor((1, 1, 3, 3), 0.1, 2))
    tiled = builder.operator("TILE", [column, builder.constant([1, 4, 2, 1])], builder.tensor((1, 4, 6, 3), 0.1, 2))
    builder.output(builder.binary("ADD", x, tiled))
    check_against_reference(builder, tmp_path)
    assert [layer.operator for layer in import_tflite(tmp_path / "model.tflite").layers] == ["ADD"]
