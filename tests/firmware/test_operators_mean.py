"""MEAN over every choice of axes."""

from __future__ import annotations

import itertools
from pathlib import Path

from host_firmware import check_against_reference
from model_builder import ModelBuilder


def test_every_choice_of_axes_up_to_five_dimensions(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=31)
    for rank in range(1, 6):
        for axes in itertools.chain.from_iterable(itertools.combinations(range(rank), n) for n in range(1, rank + 1)):
            shape = builder.rng.integers(1, 5, size=rank).tolist()
            signed = [axis - rank if builder.rng.random() < 0.5 else axis for axis in axes]
            x = builder.input(shape, 0.05, int(builder.rng.integers(-128, 128)))
            builder.output(builder.mean(x, signed, keep_dims=bool(builder.rng.random() < 0.5)))
    check_against_reference(builder, tmp_path, samples=2)


def test_random_quantisations_round_as_the_reference_does(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=32)
    for _ in range(80):
        shape = builder.rng.integers(1, 9, size=4).tolist()
        scale = float(10 ** builder.rng.uniform(-3, 1))
        x = builder.input(shape, scale, int(builder.rng.integers(-128, 128)))
        axes = builder.rng.permutation(4)[: builder.rng.integers(1, 5)].tolist()
        factor, zero_point = float(10 ** builder.rng.uniform(-1.5, 1.5)), int(builder.rng.integers(-128, 128))
        builder.output(builder.mean(x, axes, keep_dims=True, scale=scale * factor, zero_point=zero_point))
    check_against_reference(builder, tmp_path)


def test_axes_named_twice_count_once(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=33)
    builder.output(builder.mean(builder.input((2, 3, 4)), [1, -2, 1]))
    check_against_reference(builder, tmp_path)


def test_global_average_of_a_large_map(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=34)
    builder.output(builder.mean(builder.input((1, 96, 96, 7), 0.02, 100), [1, 2], scale=0.004, zero_point=-60))
    check_against_reference(builder, tmp_path)
