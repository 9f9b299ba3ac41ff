"""Quotients, products of matrices, comparisons, choices, casts and normalisations, in random configurations, against LiteRT."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference, run_on_host
from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import OracleMissing, run_reference
from mcu_harness.model.tflm import run_tflm
from model_builder import ModelBuilder
from model_file import DTYPES

Rng = np.random.Generator
EVERY_BYTE = np.arange(-128, 128).astype(np.int8)


def _shape(rng: Rng, rank: int) -> tuple[int, ...]:
    return tuple(int(size) for size in rng.integers(1, 6, rank))


def _scale(rng: Rng, reach: float = 6.0) -> float:
    return float(0.05 * 2.0 ** rng.uniform(-reach, reach))


def _point(rng: Rng) -> int:
    return int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))]))


def _narrower(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to `shape`."""
    return tuple(size if rng.integers(3) else 1 for size in shape[int(rng.integers(len(shape))) :])


def test_random_quotients_are_the_reference_s_also_of_zero(tmp_path: Path) -> None:
    """Every pair of bytes; a divisor of zero, at which LiteRT stops, is left out."""
    rng, builder = np.random.default_rng(1), ModelBuilder(1)
    inputs = []
    for activation in (*["NONE"] * 16, "RELU", "RELU6"):
        points = _point(rng), _point(rng)
        divisors = EVERY_BYTE[points[1] != EVERY_BYTE]
        a = builder.input((256, 1), _scale(rng), points[0])
        b = builder.input((1, 255), _scale(rng), points[1])
        ratio = builder.tensors[a].scales[0] / builder.tensors[b].scales[0]
        out = builder.tensor((256, 255), ratio * 2.0 ** float(rng.uniform(-6, 8)), _point(rng))
        builder.output(builder.operator("DIV", [a, b], out, fused_activation=activation))
        inputs += [EVERY_BYTE[None, :, None], divisors[None, None]]
    check_against_reference(builder, tmp_path, inputs=inputs)


def test_random_products_of_matrices_are_the_reference_s(tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(2), ModelBuilder(2)
    for number, (adj_x, adj_y) in enumerate(itertools.product((False, True), repeat=2)):
        for _ in range(10):
            rows, depth, columns = (int(k) for k in rng.integers(1, 9, 3))
            batches = _shape(rng, int(rng.integers(0, 4)))
            others = _narrower(rng, batches) if batches and number % 2 else batches
            first = (*batches, depth, rows) if adj_x else (*batches, rows, depth)
            second = (*others, columns, depth) if adj_y else (*others, depth, columns)
            x = builder.input(first, _scale(rng), _point(rng))
            if rng.integers(2):
                values = rng.integers(-128, 128, second).astype(np.int8)
                y = builder.constant(values, _scale(rng), _point(rng))
            else:
                y = builder.input(second, _scale(rng), _point(rng))
            spread = builder.tensors[x].scales[0] * builder.tensors[y].scales[0] * 80 * np.sqrt(depth)
            out = builder.tensor((*batches, rows, columns), float(spread * 2.0 ** rng.uniform(-3, 3)), _point(rng))
            builder.output(builder.operator("BATCH_MATMUL", [x, y], out, adj_x=adj_x, adj_y=adj_y))
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("code", ["EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"])
def test_every_pair_of_bytes_compares_as_the_reference_compares_it(code: str, tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(3), ModelBuilder(3)
    inputs: list[np.ndarray] = []
    for number in range(12):
        scale = float(2.0 ** rng.uniform(-12, -0.1))
        other = scale if number % 3 == 0 else float(min(0.99, scale * 2.0 ** rng.uniform(-1, 1)))
        a = builder.input((256, 1), scale, _point(rng))
        b = builder.input((1, 256), other, _point(rng))
        builder.output(builder.operator(code, [a, b], builder.tensor((256, 256), None, dtype="bool")))
        inputs += [EVERY_BYTE[None, :, None], EVERY_BYTE[None, None]]
    check_against_reference(builder, tmp_path, inputs=inputs)


def test_scales_that_litert_cannot_compare_are_refused(tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    pair = [builder.input((1, 4), 1.5), builder.input((1, 4), 0.5)]
    builder.output(builder.operator("LESS", pair, builder.tensor((1, 4), None, dtype="bool")))
    with pytest.raises(ModelError, match="scale is 1 or more"):
        import_tflite(builder.write(tmp_path / "m.tflite"))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "bool"])
def test_random_choices_are_the_reference_s(dtype: str, tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(4), ModelBuilder(4)
    scale = None if dtype in ("int32", "bool") else 0.05
    for number in range(30):
        shape = _shape(rng, int(rng.integers(1, 5)))
        parts = [shape, _narrower(rng, shape), _narrower(rng, shape)]
        rng.shuffle(parts)
        code = "SELECT_V2" if number % 3 else "SELECT"
        if code == "SELECT":
            parts = [shape[:1] if number % 2 else shape, shape, shape]
        operands = [
            builder.input(parts[0], dtype="bool"),
            *(builder.input(p, scale, 0, dtype=dtype) for p in parts[1:]),
        ]
        builder.output(builder.operator(code, operands, builder.tensor(shape, scale, 0, dtype=dtype)))
    check_against_reference(builder, tmp_path)


def test_casts_between_all_integers_are_the_reference_s(tmp_path: Path) -> None:
    builder = ModelBuilder(5)
    types = ("int8", "uint8", "int16", "int32", "bool")
    for source, result in (
        *itertools.product(types, types),
        ("int8", "float32"),
        ("uint8", "float32"),
        ("bool", "float32"),
    ):
        ends = [None if kind in ("int32", "bool", "float32") else 0.05 for kind in (source, result)]
        x = builder.input((3, 7), ends[0], 0, dtype=source)
        out = builder.tensor((3, 7), ends[1], 0, dtype=result)
        builder.output(builder.operator("CAST", [x], out, in_data_type=DTYPES[source], out_data_type=DTYPES[result]))
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("code", ["SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION"])
def test_random_rows_are_normalised_as_by_the_reference(code: str, tmp_path: Path) -> None:
    """SOFTMAX to int16 here; int8 has its own tests."""
    rng, builder = np.random.default_rng(6), ModelBuilder(6)
    scale, point, dtype = {
        "SOFTMAX": (1 / 65536, -32768, "int16"), "LOG_SOFTMAX": (1 / 16, 127, "int8"), "L2_NORMALIZATION": (1 / 128, 0, "int8"),
    }[code]  # fmt: skip
    for number in range(60):
        shape = (int(rng.integers(1, 4)), int(rng.choice([1, 2, 3, 10, 100, 700])))
        x = builder.input(shape, float(2.0 ** rng.uniform(-16, 4)), _point(rng))
        if number % 3 == 0:  # hardly any values, zeros above all
            x = builder.unary("RELU", x, scale=builder.tensors[x].scales[0] * 40, zero_point=_point(rng))
        builder.output(
            builder.operator(
                code, [x], builder.tensor(shape, scale, point, dtype=dtype), version=3 if dtype == "int16" else 2
            )
        )
    check_against_reference(builder, tmp_path, share=True)


def test_random_square_roots_are_the_reference_s(tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(7), ModelBuilder(7)
    inputs = []
    for _ in range(60):
        point, scale = _point(rng), float(2.0 ** rng.uniform(-14, 10))
        values = EVERY_BYTE[point <= EVERY_BYTE]
        x = builder.input((len(values),), scale, point)
        out = builder.tensor((len(values),), float(np.sqrt(scale) * 2.0 ** rng.uniform(-6, 2)), _point(rng))
        builder.output(builder.operator("SQRT", [x], out))
        inputs.append(values[None])
    check_against_reference(builder, tmp_path, inputs=inputs)


def test_rows_are_looked_up_by_numbers_of_the_model_s_input(tmp_path: Path) -> None:
    builder = ModelBuilder(8)
    for rows, shape in ((11, (5,)), (300, (2, 3)), (1, (7, 1, 2))):
        table = builder.constant(builder.rng.integers(-128, 128, (rows, *shape)).astype(np.int8), 0.1, 3)
        operands = [builder.input((9,), dtype="int32"), table]
        builder.output(builder.operator("EMBEDDING_LOOKUP", operands, builder.tensor((9, *shape), 0.1, 3)))
    check_against_reference(builder, tmp_path)


def test_sums_are_tensorflow_lite_micro_s_as_litert_s_reference_kernel_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    rng = np.random.default_rng(9)
    for number in range(4):
        builder, shape = ModelBuilder(number), _shape(rng, 4)
        axes, keep = ([1, 2], [3], [-1, 0])[number % 3], bool(number % 2)
        gone = {axis % 4 for axis in axes}
        result = tuple(1 if a in gone else s for a, s in enumerate(shape) if keep or a not in gone)
        out = builder.tensor(result, _scale(rng, 3), _point(rng))
        operands = [builder.input(shape, 0.05, _point(rng)), builder.constant(axes)]
        builder.output(builder.operator("SUM", operands, out, keep_dims=keep))
        path = builder.write(tmp_path / "sum.tflite")
        graph = import_tflite(path)
        inputs = make_inputs(graph, 1, 6)
        sources = generate(graph, plan_memory(graph, "cortex-m4"), "cortex-m4")
        (got,) = run_on_host(graph, sources, inputs, tmp_path)
        assert np.array_equal(got, run_tflm(path, graph, inputs).outputs[0])
        with pytest.raises(OracleMissing, match="reads the bytes of int8 as uint8"):
            run_reference(path, graph, inputs)


def test_an_operator_that_litert_has_no_int8_kernel_for_is_named_as_such(tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    builder.output(builder.operator("ELU", [builder.input((1, 4))], builder.tensor((1, 4))))
    with pytest.raises(ModelError, match="not supported: ELU") as refused:
        import_tflite(builder.write(tmp_path / "m.tflite"))
    assert "LiteRT itself has no int8 kernel for ELU" in refused.value.hint
