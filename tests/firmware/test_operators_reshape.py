"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes, copied only where the plan gives the result a place of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_firmware import check_against_reference
from mcu_harness.model.codegen.generate import generate
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planner import plan
from model_builder import ModelBuilder


def chain() -> ModelBuilder:
    builder = ModelBuilder(seed=1)
    x = builder.unary("RELU", builder.input((2, 1, 3, 5)))
    x = builder.expand_dims(builder.squeeze(builder.reshape(x, (1, 6, -1)), [0]), 1)
    builder.output(builder.unary("RELU6", x))
    return builder


@pytest.mark.parametrize("share", [False, True])
def test_values_keep_their_order(share: bool, tmp_path: Path) -> None:
    check_against_reference(chain(), tmp_path, share=share)


def test_in_place_nothing_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(chain().build())
    graph = import_tflite(path)
    assert "mcu_copy(" in generate(graph, plan(graph, share=False), "cortex-m4").files["model.c"]
    assert "mcu_copy(" not in generate(graph, plan(graph), "cortex-m4").files["model.c"]
