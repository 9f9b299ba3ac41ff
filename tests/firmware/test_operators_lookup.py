"""Operators from byte to byte: their tables equal LiteRT for all 256 inputs, and the firmware uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.model.codegen.fixed_point import Affine
from mcu_harness.model.codegen.lookup_tables import hard_swish
from model_builder import ModelBuilder

EVERY_BYTE = np.arange(-128, 128).astype(np.int8)
SCALE_PAIRS = 60
OPERATORS = ["RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "QUANTIZE", "LOGISTIC", "TANH"]


def add_operator(builder: ModelBuilder, operator: str) -> None:
    """One layer over all 256 values, with random quantisation of input and output."""
    rng = builder.rng
    scale = float(10 ** rng.uniform(-4, 1))
    x = builder.input((256,), scale, int(rng.integers(-128, 128)))
    if operator in ("LOGISTIC", "TANH"):
        builder.output(builder.logistic(x) if operator == "LOGISTIC" else builder.tanh(x))
        return
    out_scale = scale * float(10 ** rng.uniform(-2, 2))
    if operator == "HARD_SWISH":
        out_scale = max(out_scale, scale / 127)
    options = {"alpha": float(rng.uniform(0, 1.5))} if operator == "LEAKY_RELU" else {}
    zero_point = int(rng.integers(-128, 128))
    builder.output(builder.unary(operator, x, scale=out_scale, zero_point=zero_point, **options))


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_input_of_random_quantisations_equals_the_reference(operator: str, tmp_path: Path) -> None:
    builder = ModelBuilder(seed=11)
    for _ in range(SCALE_PAIRS):
        add_operator(builder, operator)
    inputs = [EVERY_BYTE[np.newaxis]] * SCALE_PAIRS
    check_against_reference(builder, tmp_path, inputs=inputs)


def test_requantising_to_the_same_numbers_is_a_copy(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=12)
    x = builder.input((256,), 0.5, 3)
    builder.output(builder.unary("QUANTIZE", x, scale=0.5, zero_point=3))
    check_against_reference(builder, tmp_path, inputs=[EVERY_BYTE[np.newaxis]])
    assert "lookup" not in (tmp_path / "model.c").read_text()


@pytest.mark.parametrize(("source", "result"), [("uint8", "int8"), ("int8", "uint8"), ("uint8", "uint8")])
def test_requantising_unsigned_bytes_equals_the_reference(source: str, result: str, tmp_path: Path) -> None:
    builder = ModelBuilder(seed=14)
    every_byte = np.arange(256).astype(np.uint8).view(source)[np.newaxis]
    lowest = {"int8": -128, "uint8": 0}
    for same_scale in [True] + [False] * (SCALE_PAIRS - 1):
        scale, offset = float(10 ** builder.rng.uniform(-4, 1)), int(builder.rng.integers(256))
        x = builder.input((256,), scale, lowest[source] + offset, dtype=source)
        if not same_scale:
            scale, offset = scale * float(10 ** builder.rng.uniform(-2, 2)), int(builder.rng.integers(256))
        y = builder.tensor((256,), scale, lowest[result] + offset, dtype=result)
        builder.output(builder.operator("QUANTIZE", [x], y))
    check_against_reference(builder, tmp_path, inputs=[every_byte] * SCALE_PAIRS)


def test_negative_slopes_equal_the_reference(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=15)
    for alpha in (-0.01, -0.3, -1.0, -2.5):
        x = builder.input((256,), 0.03, -20)
        builder.output(builder.unary("LEAKY_RELU", x, alpha=alpha))
    check_against_reference(builder, tmp_path, inputs=[EVERY_BYTE[np.newaxis]] * 4)


@pytest.mark.parametrize(("operator", "scales"), [("TANH", 30), ("LOGISTIC", 10)])
def test_other_output_quantisations_equal_the_reference(operator: str, scales: int, tmp_path: Path) -> None:
    """TANH may have any output scale and zero point, LOGISTIC any zero point with its scale of 1/256."""
    builder = ModelBuilder(seed=16)
    for _ in range(scales):
        x = builder.input((256,), float(10 ** builder.rng.uniform(-3, 0)), int(builder.rng.integers(-128, 128)))
        scale = float(10 ** builder.rng.uniform(-4, 1)) if operator == "TANH" else 1 / 256
        builder.output(builder.unary(operator, x, scale=scale, zero_point=int(builder.rng.integers(-128, 128))))
    check_against_reference(builder, tmp_path, inputs=[EVERY_BYTE[np.newaxis]] * scales)


def test_operators_work_in_place(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=13)
    x = builder.input((1, 300), 0.03, -5)
    x = builder.unary("HARD_SWISH", builder.unary("LEAKY_RELU", x, alpha=0.2), scale=0.02, zero_point=-100)
    builder.output(builder.tanh(builder.unary("RELU6", x)))
    check_against_reference(builder, tmp_path, share=True, samples=8)


def test_hard_swish_refuses_what_the_reference_refuses() -> None:
    with pytest.raises(ValueError, match="output scale"):
        hard_swish(Affine(1.0, 0), Affine(1 / 129, 0))
