"""Real models that no one here made, whole, on this machine against LiteRT, planned as for a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_firmware import run_on_host
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import run_reference
from mcu_harness.model.simplify.simplified import simplified

TARGET = "cortex-m4"

# What TensorFlow Lite Micro uses of its arena for the same model.
PEER_ARENA_BYTES = {"ad01_int8": 2580, "kws_ref_model": 22820, "pretrainedResnet_quant": 54996}


@pytest.mark.third_party
@pytest.mark.parametrize(
    "name",
    ["ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "ambiq__har", "tflm__person_detect"],
)
def test_outputs_equal_the_reference_bit_for_bit(name: str, third_party_models: Path, tmp_path: Path) -> None:
    path = third_party_models / f"{name}.tflite"
    graph = simplified(import_tflite(path))
    placed = plan_memory(graph, TARGET)
    assert placed.arena_bytes <= PEER_ARENA_BYTES.get(name, placed.arena_bytes)
    inputs = make_inputs(graph, 7, 12)
    got = run_on_host(graph, generate(graph, placed, TARGET), inputs, tmp_path)
    expected = run_reference(path, graph, inputs).outputs
    assert [values.tobytes() for values in got] == [values.tobytes() for values in expected]


# Published networks that were pruned: how many of their multiply-accumulates compute what never changes.
SPARED_MACS = {"ambiq__har": 3_276_108, "tflm__person_detect": 80_642, "hello_world_int8": 68}


@pytest.mark.third_party
@pytest.mark.parametrize("name", SPARED_MACS)
def test_what_never_changes_in_published_networks_is_not_computed(name: str, third_party_models: Path) -> None:
    model = import_tflite(third_party_models / f"{name}.tflite")
    computed = simplified(model)
    assert computed.spared_macs == SPARED_MACS[name]
    assert computed.macs + computed.spared_macs == model.macs
