"""Operators on one byte, at the ends of what scales and zero points can be, against LiteRT's reference kernels.

What LiteRT refuses or leaves undefined must be refused here; everything else must be equal for all 256 bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.operators.lookup import table_of
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import run_reference
from model_builder import ModelBuilder

pytest.importorskip("ai_edge_litert")

BYTES = np.arange(-128, 128).astype(np.int8)[None]
OPERATORS = (
    "RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "QUANTIZE", "ABS", "NEG", "EXP", "LOG", "GELU",
    "RELU_N1_TO_1", "RELU_0_TO_1",
)  # fmt: skip
_FIXED = {"LOGISTIC": (1 / 256, -128)}
# Where a kernel calls the C library, its last bit shows in outputs as fine as float32 itself.
_LEAST_OUTPUT = {"EXP": 2.0**-12, "LOG": 2.0**-12, "GELU": 2.0**-12}
_MODELS = 120


def _random_scales(rng: np.random.Generator, number: int) -> tuple[float, float]:
    """Of input and output: anywhere in their range, near each other, or around the largest ratios that are taken."""
    reach = (40, 20, 8)[number % 3]
    source = 2.0 ** rng.uniform(-reach, reach)
    result = source * 2.0 ** rng.uniform(-30, 30) if number % 2 else 2.0 ** rng.uniform(-reach, reach)
    return float(np.float32(source)), float(np.float32(result))


def _options(rng: np.random.Generator, operator: str) -> dict[str, object]:
    return {"alpha": float(np.float32(rng.choice([0.1, -0.3, 2.0, 1e-5, 300.0])))} if operator == "LEAKY_RELU" else {}


def _add(
    builder: ModelBuilder,
    operator: str,
    source: tuple[float, int],
    result: tuple[float, int],
    options: dict[str, object],
) -> None:
    x = builder.input((1, 256), *source)
    builder.output(builder.unary(operator, x, scale=result[0], zero_point=result[1], **options))


def _one(builder: ModelBuilder, *arguments: object) -> Graph:
    *operation, folder = arguments
    _add(builder, *operation)  # type: ignore[arg-type]
    return import_tflite(builder.write(Path(str(folder), "one.tflite")))


def _table(graph: Graph) -> np.ndarray:
    layer = graph.layers[0]
    ends = [(affine(layer, graph.tensors[i]), graph.tensors[i].dtype) for i in (layer.inputs[0], layer.outputs[0])]
    return table_of(layer.operator, *ends, tuple(sorted(layer.attributes.items())))


@pytest.mark.parametrize("operator", OPERATORS)
def test_tables_are_litert_s_at_the_ends_of_every_range(operator: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    together = ModelBuilder(0)
    tables = []
    for number in range(_MODELS):
        scale, result = _random_scales(rng, number)
        points = [int(rng.choice([-128, 127, 0, rng.integers(-128, 128)])) for _ in range(2)]
        options = _options(rng, operator)
        result = max(result, _LEAST_OUTPUT.get(operator, 0.0))
        result, points[1] = _FIXED.get(operator, (result, points[1]))
        try:
            tables.append(
                _table(_one(ModelBuilder(0), operator, (scale, points[0]), (result, points[1]), options, tmp_path))
            )
        except (ModelError, ValueError):
            continue
        _add(together, operator, (scale, points[0]), (result, points[1]), options)
    assert len(tables) > _MODELS // 3, "hardly anything was taken"
    path = together.write(tmp_path / "all.tflite")
    graph = import_tflite(path)
    expected = run_reference(path, graph, [BYTES[None]] * len(graph.inputs)).outputs
    wrong = [
        (number, graph.tensors[graph.layers[number].inputs[0]].quantization, graph.tensors[out].quantization)
        for number, (table, out, values) in enumerate(zip(tables, graph.outputs, expected, strict=True))
        if not np.array_equal(table[BYTES.view(np.uint8)].view(np.int8), values[0])
    ]
    assert not wrong, f"{len(wrong)} of {len(tables)}, first {wrong[0]}"
