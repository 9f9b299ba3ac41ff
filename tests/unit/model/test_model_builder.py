"""What the tests' model builder makes is accepted by LiteRT, and does something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.reference import run_reference
from model_builder import ModelBuilder
from model_samples import SAMPLES, TESTED_ELSEWHERE, WITHOUT_LITERT, sample

pytest.importorskip("ai_edge_litert")


def test_there_are_samples_of_every_supported_operator() -> None:
    assert {*SAMPLES, *TESTED_ELSEWHERE} == set(OPERATORS)
    tests = Path(__file__).parents[2]
    assert all(operator in (tests / file).read_text(encoding="utf-8") for operator, file in TESTED_ELSEWHERE.items())


# One value for each of two samples; what small whole numbers are divided into.
FEW = ("FILL", "CAST", "FLOOR_DIV", "FLOOR_MOD")


@pytest.mark.parametrize("operator", sorted({*SAMPLES} - WITHOUT_LITERT))
def test_litert_runs_samples_and_their_outputs_are_not_constant(operator: str, tmp_path: Path) -> None:
    builder = sample(operator, seed=1)
    path = builder.write(tmp_path / "m.tflite")
    graph = import_tflite(path)
    assert {layer.operator for layer in graph.layers} >= {operator}
    found = run_reference(path, graph, make_inputs(graph, seed=2, count=2))
    for index, values in zip(graph.outputs, found.outputs, strict=True):
        assert values.shape == (2, *builder.shape(index))
        few = values.dtype == bool or operator in FEW
        assert len(np.unique(values)) > (1 if few else 4)


def test_the_same_seed_builds_the_same_file() -> None:
    assert sample("CONV_2D", seed=3).build() == sample("CONV_2D", seed=3).build()
    assert sample("CONV_2D", seed=3).build() != sample("CONV_2D", seed=4).build()


def test_an_option_that_an_operator_does_not_have_is_an_error() -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4))
    builder.output(builder.operator("SOFTMAX", [x], builder.tensor((1, 4), 1 / 256, -128), alpha=1.0))
    with pytest.raises(AttributeError, match="SOFTMAX has no option alpha"):
        builder.build()
