"""A model is planned and generated once for all boards of a target, and anew where anything differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planned import planned_sources

MODEL = Path(__file__).parents[3] / "scenarios/models/digits.tflite"


def test_the_same_model_and_target_are_the_same_objects() -> None:
    graph = import_tflite(MODEL)
    planned = planned_sources(graph, "cortex-m4")
    again = planned_sources(import_tflite(MODEL), "cortex-m4")
    assert again.memory is planned.memory
    assert again.sources is planned.sources
    assert planned.sources == generate(planned.graph, plan_memory(planned.graph, "cortex-m4"), "cortex-m4")


def test_another_target_model_or_kernel_choice_is_made_anew() -> None:
    graph = import_tflite(MODEL)
    sources = planned_sources(graph, "cortex-m4").sources
    assert planned_sources(graph, "cortex-m0+").sources is not sources
    assert planned_sources(graph, "cortex-m4", "portable").sources is not sources
    assert planned_sources(replace(graph, digest="another"), "cortex-m4").sources is not sources
