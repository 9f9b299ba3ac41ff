"""Operators on numbers without a scale (int32, float32, bool), and lookups by several indices, on this machine against LiteRT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder
from model_file import DTYPES

FAR = np.array([-(2**31), -(2**31) + 1, -7, -3, -1, 1, 2, 3, 9, 2**31 - 1], np.int32)


def _plain(builder: ModelBuilder, shape: tuple[int, ...], dtype: str) -> int:
    return builder.tensor(shape, None, dtype=dtype)


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL", "DIV", "FLOOR_DIV", "FLOOR_MOD", "MAXIMUM", "MINIMUM"])
def test_integers_of_32_bits(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    inputs = []
    fused = code in ("ADD", "SUB", "MUL", "DIV")
    for number in range(4):
        shape, other = ((10, 10), (10, 1)) if number % 2 else ((2, 3, 5), (2, 3, 5))
        x, y = builder.input(shape, dtype="int32"), builder.input(other, dtype="int32")
        options = {"fused_activation": ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")[number]} if fused else {}
        builder.output(builder.operator(code, [x, y], _plain(builder, shape, "int32"), **options))
        if number % 2:
            # -2^31 / -1 has no meaning, and ends LiteRT.
            below = (
                FAR[:, None]
                if code not in ("DIV", "FLOOR_DIV", "FLOOR_MOD")
                else np.maximum(FAR, -(2**31) + 1)[:, None]
            )
            drawn = [np.broadcast_to(FAR, (10, 10))[None], FAR[None, :, None]]
            if code in ("DIV", "FLOOR_DIV", "FLOOR_MOD"):
                drawn[0] = np.broadcast_to(np.maximum(FAR, below.min()), (10, 10))[None]
        else:
            drawn = [builder.rng.integers(-50, 50, (1, *shape)), builder.rng.integers(1, 9, (1, *other))]
        inputs += [np.ascontiguousarray(values, np.int32) for values in drawn]
    check_against_reference(builder, tmp_path, inputs=inputs, share=True)


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL", "DIV"])
def test_floats_are_rounded_once(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(2)
    inputs = []
    for number in range(4):
        shape, other = (5, 40), ((5, 40), (40,), (5, 1), ())[number]
        x, y = builder.input(shape, dtype="float32"), builder.input(other, dtype="float32")
        activation = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")[number]
        out = _plain(builder, shape, "float32")
        builder.output(builder.operator(code, [x, y], out, fused_activation=activation))
        for size in (shape, other):
            drawn = builder.rng.normal(size=(3, *size)) * 10.0 ** builder.rng.integers(-6, 7, (3, *size))
            inputs.append(drawn.astype(np.float32))
    inputs[1][0, 0, :2] = (0.0, -0.0)  # a quotient by nothing becomes the largest number
    if code == "DIV":
        inputs[1][:, 1:] = np.where(inputs[1][:, 1:] == 0, 1, inputs[1][:, 1:])
    check_against_reference(builder, tmp_path, inputs=inputs, share=True)


def test_places_are_counted_and_looked_up_by_several_indices(tmp_path: Path) -> None:
    """As a pose detector does: where the largest value is, its row and column, and what stands there in another image."""
    builder = ModelBuilder(3)
    heat, other = builder.input((1, 30, 3)), builder.input((1, 6, 5, 4), 0.1, 5)
    place = builder.operator("ARG_MAX", [heat, builder.constant(1)], _plain(builder, (1, 3), "int32"), output_type=2)
    width = builder.constant(5)
    row = builder.operator("FLOOR_DIV", [place, width], _plain(builder, (1, 3), "int32"))
    column = builder.operator(
        "SUB", [place, builder.operator("MUL", [row, width], _plain(builder, (1, 3), "int32"))],
        _plain(builder, (1, 3), "int32"),
    )  # fmt: skip
    flat = [builder.reshape(x, (3,)) for x in (row, column)]
    zeros = builder.constant(np.zeros(3, np.int32))
    places = builder.operator("PACK", [zeros, *flat], _plain(builder, (3, 3), "int32"), axis=1, values_count=3)
    found = builder.operator("GATHER_ND", [other, places], builder.tensor((3, 4), 0.1, 5))
    real = builder.operator(
        "CAST",
        [column],
        _plain(builder, (1, 3), "float32"),
        in_data_type=DTYPES["int32"],
        out_data_type=DTYPES["float32"],
    )
    builder.output(found, builder.quantize(real, "int8", scale=0.1), place)
    check_against_reference(builder, tmp_path, samples=10, share=True)


def test_random_lookups_by_several_indices(tmp_path: Path) -> None:
    builder = ModelBuilder(4)
    rng = builder.rng
    for number, dtype in enumerate(("int8", "int16", "int32", "float32", "bool", "int8")):
        shape = tuple(int(v) for v in rng.integers(1, 5, 4))
        axes, rows = 1 + number % 4, tuple(int(v) for v in rng.integers(1, 5, 1 + number % 2))
        scale = 0.05 if dtype in ("int8", "int16") else None
        x = builder.input(shape, scale, 0, dtype=dtype)
        drawn = np.stack([rng.integers(0, shape[k], rows) for k in range(axes)], axis=-1).astype(np.int32)
        result = (*rows, *shape[axes:])
        out = builder.operator("GATHER_ND", [x, builder.constant(drawn)], builder.tensor(result, scale, 0, dtype=dtype))
        builder.output(out)
    check_against_reference(builder, tmp_path, share=True)


def test_a_constant_index_outside_is_refused(tmp_path: Path) -> None:
    builder = ModelBuilder(5)
    x = builder.input((3, 4))
    places = builder.constant(np.array([[0, 4]], np.int32))
    builder.output(builder.operator("GATHER_ND", [x, places], builder.tensor((1,), 0.05, -3)))
    with pytest.raises(ModelError, match=r"layer 00 GATHER_ND: an index is outside \(3, 4\)"):
        import_tflite(builder.write(tmp_path / "m.tflite"))


@pytest.mark.parametrize("code", ["REDUCE_ANY", "REDUCE_ALL"])
def test_truths_are_reduced(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(6)
    for axes in ([0], [1, 2], [0, 1, 2]):
        x = builder.input((3, 2, 4), dtype="bool")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate((3, 2, 4)))
        builder.output(
            builder.operator(code, [x, builder.constant(axes)], _plain(builder, kept, "bool"), keep_dims=True)
        )
    check_against_reference(builder, tmp_path, samples=20, share=True)


def test_places_of_64_bits(tmp_path: Path) -> None:
    builder = ModelBuilder(7)
    for code in ("ARG_MAX", "ARG_MIN"):
        x = builder.input((3, 7, 5))
        out = _plain(builder, (3, 5), "int64")
        builder.output(builder.operator(code, [x, builder.constant(1)], out, output_type=DTYPES["int64"]))
    check_against_reference(builder, tmp_path, samples=5, share=True)


def test_a_root_between_dequantize_and_quantize_is_a_table(tmp_path: Path) -> None:
    builder = ModelBuilder(8)
    every = np.arange(-128, 128).astype(np.int8)[None, None]
    for point, scale in ((-128, 0.1), (-128, 3.0), (-100, 0.02)):
        x = builder.input((1, 256), scale, point)
        real = builder.dequantize(x)
        root = builder.operator("SQRT", [real], _plain(builder, (1, 256), "float32"), version=1)
        builder.output(builder.operator("QUANTIZE", [root], builder.tensor((1, 256), 0.05, -128)))
    graph = check_against_reference(
        builder, tmp_path, inputs=[np.maximum(every, point).astype(np.int8) for point in (-128, -128, -100)], share=True
    )
    assert len(graph.layers) == 3
