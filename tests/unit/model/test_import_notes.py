"""What import says that it made of a model's layers."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.model.import_notes import import_notes
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.simplify.simplified import simplified
from model_builder import ModelBuilder


def test_layers_that_others_compute_and_functions_of_floats_are_named(tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    x = builder.input((1, 6, 6, 2), 0.05, 3)
    x = builder.conv_2d(builder.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), channels=2, kernel=(3, 3), padding="VALID")
    inside = builder.tensor(builder.shape(x), None, dtype="float32")
    builder.operator("TANH", [builder.dequantize(x)], inside, version=1)
    builder.output(builder.quantize(inside, "int8"))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    assert import_notes(simplified(graph)) == (
        "layer 01 CONV_2D computes layer 00 PAD too",
        "layer 03 TANH is a function of floats between DEQUANTIZE and QUANTIZE: a table from int8 to int8",
    )


def test_a_model_that_is_taken_as_it_is_has_no_notes(small_model: Path) -> None:
    assert import_notes(simplified(import_tflite(small_model))) == ()
