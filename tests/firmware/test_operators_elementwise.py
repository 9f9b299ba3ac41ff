"""Operators of two tensors, reductions and resizing, in random configurations, on this machine against LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder

Rng = np.random.Generator


def _shape(rng: Rng, rank: int) -> tuple[int, ...]:
    return tuple(int(size) for size in rng.integers(1, 6, rank))


def _operands(b: ModelBuilder, rng: Rng, code: str) -> tuple[int, int, tuple[int, ...]]:
    """Two inputs that broadcast, with scales anywhere near each other; PRELU's second one is the smaller."""
    shape = _shape(rng, int(rng.integers(1, 5)))
    shapes = [shape, tuple(size if rng.integers(3) else 1 for size in shape[int(rng.integers(len(shape))) :])]
    if code != "PRELU" and rng.integers(2):
        shapes.reverse()
    scales = 0.05 * 2.0 ** rng.uniform(-6, 6, 2)
    a, c = (b.input(s, float(scale), int(rng.integers(-128, 128))) for s, scale in zip(shapes, scales, strict=True))
    return a, c, shape


@pytest.mark.parametrize("code", ["MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU"])
def test_random_pairs_give_the_reference_outputs(code: str, tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(3), ModelBuilder(3)
    for _ in range(40):
        a, b, shape = _operands(builder, rng, code)
        out = builder.tensor(shape, float(0.05 * 2.0 ** rng.uniform(-6, 10)), int(rng.integers(-128, 128)))
        builder.output(builder.operator(code, [a, b], out))
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("code", ["REDUCE_MAX", "REDUCE_MIN"])
def test_random_reductions_give_the_reference_outputs(code: str, tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(4), ModelBuilder(4)
    for _ in range(40):
        shape = _shape(rng, int(rng.integers(1, 6)))
        axes = sorted({int(axis) for axis in rng.integers(0, len(shape), int(rng.integers(1, 4)))})
        keep = bool(rng.integers(2))
        result = tuple(1 if a in axes else s for a, s in enumerate(shape) if keep or a not in axes)
        named = [axis - len(shape) * int(rng.integers(2)) for axis in axes]
        out = builder.tensor(result, 0.05, -3)
        builder.output(builder.operator(code, [builder.input(shape), builder.constant(named)], out, keep_dims=keep))
    check_against_reference(builder, tmp_path)


def test_random_bilinear_sizes_give_the_reference_outputs(tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(6), ModelBuilder(6)
    for number in range(60):
        n, h, w, c = (int(size) for size in rng.integers(1, 12, 4))
        size = tuple(int(k) for k in rng.integers(1, 30, 2))
        modes = ({}, {"align_corners": True}, {"half_pixel_centers": True})[number % 3]
        operands = [builder.input((n % 2 + 1, h, w, c)), builder.constant(list(size))]
        out = builder.tensor((n % 2 + 1, *size, c), 0.05, -3)
        builder.output(builder.operator("RESIZE_BILINEAR", operands, out, **modes))
    check_against_reference(builder, tmp_path, samples=2)


@pytest.mark.parametrize("code", ["ARG_MAX", "ARG_MIN"])
def test_random_extremes_are_found_at_the_reference_places(code: str, tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(7), ModelBuilder(7)
    for _ in range(30):
        shape = _shape(rng, int(rng.integers(1, 5)))
        axis = int(rng.integers(len(shape)))
        few = builder.unary("RELU", builder.input(shape), scale=4.0)  # hardly any values, so that many are the same
        operands = [few, builder.constant(np.array(axis - len(shape) * int(rng.integers(2)), np.int32))]
        out = builder.tensor((*shape[:axis], *shape[axis + 1 :]), None, dtype="int32")
        builder.output(builder.operator(code, operands, out, output_type=2))
    check_against_reference(builder, tmp_path, share=True)
