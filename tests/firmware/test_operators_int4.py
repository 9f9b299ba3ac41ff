"""Weights of four bits, two in a byte of the model file: unpacked on import, they compute as int8 does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder


def _packed(builder: ModelBuilder, operator: int, position: int = 1) -> np.ndarray:
    """Makes the filter of an operator int4; returns its values."""
    tensor = builder.tensors[builder.operators[operator].inputs[position]]
    values = builder.rng.integers(-8, 8, tensor.shape).astype(np.int8)
    flat = np.append(values.reshape(-1), np.zeros(values.size % 2, np.int8)).view(np.uint8) & 15
    tensor.dtype, tensor.data = "int4", flat[0::2] | flat[1::2] << 4
    tensor.scales = tuple(scale * 16 for scale in tensor.scales)
    return values


def _model() -> ModelBuilder:
    builder = ModelBuilder(3)
    x = builder.input((1, 7, 6, 3))
    builder.output(builder.conv_2d(x, channels=5, activation="RELU"), builder.conv_2d(x, channels=3, kernel=(1, 1)))
    builder.output(
        builder.depthwise_conv_2d(x, multiplier=2), builder.fully_connected(builder.reshape(x, (1, -1)), units=5)
    )
    return builder


def test_layers_with_weights_of_four_bits_give_the_reference_outputs(tmp_path: Path) -> None:
    builder = _model()
    filters = {
        number: _packed(builder, number)
        for number, operator in enumerate(builder.operators)
        if operator.code != "RESHAPE"
    }
    assert {values.size % 2 for values in filters.values()} == {0, 1}, "else the last half byte is not tried"
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    for layer in graph.layers:
        if layer.number in filters:
            weights = graph.tensors[layer.inputs[1]]
            assert weights.dtype == "int8"
            assert np.array_equal(weights.data, filters[layer.number])
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("change", ["too few bytes", "an activation"])
def test_other_numbers_of_four_bits_are_refused(change: str, tmp_path: Path) -> None:
    builder = _model()
    _packed(builder, 0)
    if change == "too few bytes":
        tensor = builder.tensors[builder.operators[0].inputs[1]]
        assert tensor.data is not None
        tensor.data = tensor.data[1:]
    else:
        builder.tensors[builder.operators[0].outputs[0]].dtype = "int4"
    message = (
        "bytes of data for 135 numbers of int4" if change == "too few bytes" else "int4 is supported for constants only"
    )
    with pytest.raises(ModelError, match=message):
        import_tflite(builder.write(tmp_path / "m.tflite"))
