"""A model is planned and generated once for all boards of a target, and anew where anything differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.codegen.planned import planned_sources
from mcu_harness.model.importers.tflite import import_tflite

MODEL = Path(__file__).parents[3] / "scenarios/models/digits.tflite"


def test_the_same_model_and_target_are_the_same_objects() -> None:
    graph = import_tflite(MODEL)
    memory, sources = planned_sources(graph, "cortex-m4")
    again = planned_sources(import_tflite(MODEL), "cortex-m4")
    assert again[0] is memory
    assert again[1] is sources
    assert sources == generate(graph, plan_memory(graph, "cortex-m4"), "cortex-m4")


def test_another_target_model_or_kernel_choice_is_made_anew() -> None:
    graph = import_tflite(MODEL)
    _, sources = planned_sources(graph, "cortex-m4")
    assert planned_sources(graph, "cortex-m0+")[1] is not sources
    assert planned_sources(graph, "cortex-m4", "portable")[1] is not sources
    assert planned_sources(replace(graph, digest="another"), "cortex-m4")[1] is not sources
