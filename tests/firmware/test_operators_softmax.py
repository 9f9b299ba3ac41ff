"""SOFTMAX on this machine against LiteRT, bit for bit: the reference's fixed-point exponential and reciprocal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder


@pytest.mark.parametrize("beta", [1.0, 0.3, 2.0])
def test_rows_of_every_length_and_scale_give_the_reference_outputs(beta: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    builder = ModelBuilder(1)
    for scale in (2.0**-20, 0.001, 0.0039, 1 / 64, 0.05, 0.1, 0.17, 0.5, 1.0, 3.0, 20.0, 1000.0):
        for depth in (1, 2, 3, 10, 37):
            x = builder.input((int(rng.integers(1, 4)), depth), scale, int(rng.integers(-128, 128)))
            builder.output(builder.softmax(x, beta))
    check_against_reference(builder, tmp_path, samples=40)


def test_every_difference_of_two_values_is_exact(tmp_path: Path) -> None:
    builder = ModelBuilder(2)
    pairs = np.stack([np.full(256, 127), np.arange(-128, 128)], axis=1).astype(np.int8)
    scales = [float(np.float32(0.004 * 1.21**k)) for k in range(40)]
    for scale in scales:
        builder.output(builder.softmax(builder.input((256, 2), scale)))
    check_against_reference(builder, tmp_path, inputs=[pairs[None]] * len(scales))


def test_sums_of_many_equal_values_round_to_the_lowest_output(tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    builder.output(builder.softmax(builder.input((2, 2, 500), 0.1)))
    values = np.random.default_rng(3).integers(-2, 3, (8, 2, 2, 500)).astype(np.int8)
    check_against_reference(builder, tmp_path, inputs=[values])


def test_softmax_may_run_in_place(tmp_path: Path) -> None:
    builder = ModelBuilder(4)
    x = builder.input((5, 11), 0.1)
    builder.output(builder.softmax(builder.unary("RELU", x, scale=0.1)))
    check_against_reference(builder, tmp_path, share=True)
