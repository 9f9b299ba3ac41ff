"""Dense layers on this machine against LiteRT, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@pytest.mark.parametrize("seed", range(3))
def test_random_dense_layers_give_the_reference_outputs(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    builder = ModelBuilder(seed)
    for _ in range(40):
        outer = tuple(int(size) for size in rng.integers(1, 4, size=rng.integers(1, 4)))
        x = builder.input((*outer, int(rng.integers(1, 40))), zero_point=int(rng.integers(-128, 128)))
        dense = builder.fully_connected(
            x,
            units=int(rng.integers(1, 20)),
            activation=str(rng.choice(ACTIVATIONS)),
            per_channel=bool(rng.integers(2)),
            bias=bool(rng.integers(2)),
            keep_num_dims=bool(rng.integers(2)),
        )
        builder.output(dense)
    check_against_reference(builder, tmp_path, samples=16)


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**-20, 2.0**-8, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 40.0])
def test_every_size_of_multiplier_rounds_like_the_reference(factor: float, tmp_path: Path) -> None:
    builder = ModelBuilder(9)
    x = builder.input((16, 2), scale=0.5, zero_point=3)
    filters = builder.constant(builder.rng.integers(-127, 128, (5, 2)).astype(np.int8), 1.0)
    bias = builder.constant(builder.rng.integers(-300, 300, 5).astype(np.int32), 0.5)
    result = builder.tensor((16, 5), 0.5 / factor, -4)
    builder.output(builder.operator("FULLY_CONNECTED", [x, filters, bias], result))
    check_against_reference(builder, tmp_path, samples=16)


def test_ties_between_two_outputs_round_like_the_reference(tmp_path: Path) -> None:
    """Scales that are powers of two put many sums exactly between two outputs, on both sides of zero."""
    builder = ModelBuilder(10)
    x = builder.input((256, 1), scale=1.0, zero_point=0)
    filters = builder.constant(np.arange(-4, 5, dtype=np.int8).reshape(9, 1), 1.0)
    bias = builder.constant(np.arange(-4, 5, dtype=np.int32), 1.0)
    for exponent in (1, 2, 3, 5):
        builder.output(
            builder.operator("FULLY_CONNECTED", [x, filters, bias], builder.tensor((256, 9), 2.0**exponent, 0))
        )
    check_against_reference(builder, tmp_path, inputs=[np.arange(-128, 128, dtype=np.int8).reshape(1, 256, 1)])


def test_inputs_of_other_shapes_are_rows_as_long_as_the_filter(tmp_path: Path) -> None:
    """Without keep_num_dims an image may go straight into a dense layer, without a reshape before it."""
    builder = ModelBuilder(12)
    x = builder.input((2, 3, 2, 4))
    filters = builder.constant(builder.rng.integers(-127, 128, (6, 24)).astype(np.int8), 0.01)
    builder.output(builder.operator("FULLY_CONNECTED", [x, filters, -1], builder.tensor((2, 6), 0.2, 5)))
    check_against_reference(builder, tmp_path)


def test_long_filters_are_written_as_strings_with_the_same_bytes(tmp_path: Path) -> None:
    builder = ModelBuilder(31)
    x = builder.input((2, 96))
    every = np.tile(np.arange(-128, 128).astype(np.int8), 18).reshape(48, 96)
    for values in (every, every[::-1, ::-1], builder.rng.integers(-128, 128, (48, 96)).astype(np.int8)):
        filters = builder.constant(np.ascontiguousarray(values), 0.004)
        builder.output(builder.operator("FULLY_CONNECTED", [x, filters, -1], builder.tensor((2, 48), 2.0, 3)))
    check_against_reference(builder, tmp_path, samples=4, share=True)
    text = (tmp_path / "weights.c").read_text()
    assert '] __attribute__((aligned(4))) =\n    "' in text
