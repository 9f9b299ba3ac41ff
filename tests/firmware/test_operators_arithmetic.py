"""ADD, SUB and MUL on this machine against LiteRT, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
SHAPES = (
    ((1, 5, 6, 7), (1, 5, 6, 7)),
    ((2, 5, 6, 7), (1, 1, 1, 7)),
    ((2, 5, 6, 7), (7,)),
    ((2, 5, 6, 7), (1,)),
    ((1,), (2, 5, 6, 7)),
    ((2, 1, 6, 1), (1, 5, 1, 7)),
    ((2, 5, 1, 7), (2, 5, 6, 7)),
    ((2, 5, 6, 1), (2, 5, 6, 7)),
    ((3, 1, 4), (2, 3, 5, 1)),
    ((1, 1), (1,)),
    ((2, 1, 3, 1, 2), (2, 4, 1, 5, 1)),
)


def random_scale(rng: np.random.Generator) -> float:
    return float(np.float32(0.05 * 2 ** rng.uniform(-4, 4)))


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL"])
def test_every_kind_of_broadcast_gives_the_reference_outputs(code: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    builder = ModelBuilder(3)
    for first, second in SHAPES:
        for activation in ACTIVATIONS:
            a = builder.input(first, random_scale(rng), int(rng.integers(-128, 128)))
            b = builder.input(second, random_scale(rng), int(rng.integers(-128, 128)))
            scale, zero_point = 4 * random_scale(rng), int(rng.integers(-128, 128))
            builder.output(builder.binary(code, a, b, activation=activation, scale=scale, zero_point=zero_point))
    check_against_reference(builder, tmp_path)


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL"])
def test_every_pair_of_bytes_gives_the_reference_output(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(4)
    rng = np.random.default_rng(4)
    values = np.arange(-128, 128, dtype=np.int8)
    inputs = []
    for scales in ((0.1, 0.1, 0.2), (0.5, 0.25, 1.0), (0.013, 0.7, 0.31), (2.0**-9, 1.0, 0.5), (1.0, 1.0, 2.0)):
        a = builder.input((256, 1), scales[0], int(rng.integers(-128, 128)))
        b = builder.input((1, 256), scales[1], int(rng.integers(-128, 128)))
        builder.output(builder.binary(code, a, b, scale=scales[2], zero_point=int(rng.integers(-20, 20))))
        inputs += [values.reshape(1, 256, 1), values.reshape(1, 1, 256)]
    check_against_reference(builder, tmp_path, inputs=inputs)


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("constant_first", [False, True])
def test_one_operand_may_be_constant(code: str, constant_first: bool, tmp_path: Path) -> None:
    builder = ModelBuilder(5)
    x = builder.input((2, 3, 4))
    constant = builder.constant(builder.rng.integers(-128, 128, (3, 1)).astype(np.int8), 0.07, -5)
    operands = (constant, x) if constant_first else (x, constant)
    builder.output(builder.binary(code, *operands))
    check_against_reference(builder, tmp_path)


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL"])
def test_a_chain_planned_in_place_keeps_its_values(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(6)
    x = y = builder.input((1, 4, 4, 3))
    for _ in range(3):
        y = builder.binary(code, y, x)
        y = builder.binary(code, x, y)
        y = builder.binary(code, y, y)
    builder.output(y)
    check_against_reference(builder, tmp_path, share=True)
