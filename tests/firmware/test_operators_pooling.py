"""Pooling on this machine against LiteRT, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@pytest.mark.parametrize("kind", ["AVERAGE", "MAX"])
def test_random_windows_give_the_reference_outputs(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    builder = ModelBuilder(1)
    for _ in range(80):
        shape = (int(rng.integers(1, 3)), int(rng.integers(5, 9)), int(rng.integers(5, 9)), int(rng.integers(1, 6)))
        image = builder.input(shape, zero_point=int(rng.integers(-128, 128)))
        pooled = builder.pool(
            image,
            kind,
            kernel=(int(rng.integers(1, 6)), int(rng.integers(1, 6))),
            stride=(int(rng.integers(1, 5)), int(rng.integers(1, 5))),
            padding=str(rng.choice(["SAME", "VALID"])),
            activation=str(rng.choice(ACTIVATIONS)),
        )
        builder.output(pooled)
    check_against_reference(builder, tmp_path)


@pytest.mark.parametrize("size", [(19, 19), (24, 15), (19, 20), (40, 37)])
def test_means_of_large_windows_are_exact(size: tuple[int, int], tmp_path: Path) -> None:
    """On both sides of the 361 positions up to which the kernel multiplies with a reciprocal."""
    builder = ModelBuilder(2)
    image = builder.input((1, *size, 2))
    builder.output(builder.pool(image, "AVERAGE", kernel=size, stride=(1, 1)))
    rng = np.random.default_rng(2)
    values = rng.integers(-128, 128, (60, 1, *size, 2))
    values[::3] = np.clip(values[::3], -2, 2)
    values[0], values[1] = -128, 127
    check_against_reference(builder, tmp_path, inputs=[values.astype(np.int8)])


def test_every_mean_of_few_values_is_exact(tmp_path: Path) -> None:
    """Sums of up to seven values, many of them exactly between two means."""
    builder = ModelBuilder(3)
    rng = np.random.default_rng(3)
    inputs = []
    for count in range(1, 8):
        image = builder.input((64, count, 1, 1))
        builder.output(builder.pool(image, "AVERAGE", kernel=(count, 1), stride=(1, 1)))
        inputs.append(rng.integers(-6, 7, (16, 64, count, 1, 1)).astype(np.int8))
    check_against_reference(builder, tmp_path, inputs=inputs)
