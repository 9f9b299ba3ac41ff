"""UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and an int16 cell state.

Scales follow LiteRT 2.3.0's kernels/unidirectional_sequence_lstm.cc (PopulateQuantizedLstmParams8x8_16): gates have 12 fractional
bits, and arithmetic on scales is float32.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer

_GATES = ("input", "forget", "cell", "output")
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES, _OUTPUT_STATE, _CELL_STATE = 1, 5, 12, 18, 19
_GATE_SCALE = np.float32(2.0**-12)
_FINEST = np.float32(2.0**-15)
_LARGEST_SUM = 2**30
_MOST_LEFT = 30

_KERNEL = Kernel("mcu_lstm_s8", "portable/lstm_s8.c", "mcu_lstm.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    state, cell = context.tensor(layer.inputs[_OUTPUT_STATE]), context.tensor(layer.inputs[_CELL_STATE])
    if layer.attributes["cell_activation"] != "TANH" or layer.attributes["diagonal_recurrent_tensors"]:
        raise unsupported(layer, "an LSTM other than with TANH and full recurrent weights")
    integer_bits = _integer_bits(layer, affine(layer, cell).scale)
    constants: list[Constant] = []
    gates = [_gate(layer, context, number, constants) for number in range(len(_GATES))]
    hidden = context.tensor(_hidden(layer)).quantization
    if hidden is None or not 2.0**-40 <= hidden.scales[0] <= 2.0**40 or not -128 <= hidden.zero_points[0] <= 127:
        raise unsupported(layer, "its hidden state, the last of the intermediate tensors, has no scale")
    multiplier, shift = quantize_multiplier(float(_FINEST / np.float32(hidden.scales[0]) * _FINEST))
    if shift > _MOST_LEFT:
        raise unsupported(layer, "the scale of its hidden state is absurdly small")
    steps, batches = source.shape[:2] if layer.attributes["time_major"] else source.shape[1::-1]
    strides = (batches, 1) if layer.attributes["time_major"] else (1, steps)
    clip = float(layer.attributes["cell_clip"])  # type: ignore[arg-type]
    limit = int(min(float(np.float32(clip) / np.float32(affine(layer, cell).scale)), 32767.0)) if clip > 0 else 0
    members = {
        "gates": "{" + ", ".join(gates) + "}",
        "batches": batches,
        "steps": steps,
        "inputs": source.shape[2],
        "cells": result.shape[2],
        "step_stride": strides[0],
        "batch_stride": strides[1],
        "hidden_multiplier": multiplier,
        "hidden_right": -shift,
        "cell_integer_bits": integer_bits,
        "hidden_zero_point": hidden.zero_points[0],
        "cell_limit": limit,
    }
    arguments = (
        context.write(result.index),
        context.read(source.index),
        context.write(state.index),
        context.write(cell.index),
        f"&{context.name('parameters')}",
        f"(int16_t *){context.scratch}",
    )
    return LayerCode(
        body=(f"{_KERNEL.function}({', '.join(arguments)});",),
        kernels=(_KERNEL,),
        constants=tuple(constants),
        structs=(
            Struct("struct mcu_lstm", "parameters", tuple((name, str(value)) for name, value in members.items())),
        ),
        scratch_bytes=2 * len(_GATES) * result.shape[2],
    )


def _hidden(layer: Layer) -> int:
    named = layer.attributes["intermediates"]
    if not isinstance(named, tuple) or len(named) != 5:
        raise unsupported(layer, f"{named} are not the five intermediate tensors of an integer LSTM")
    return named[4]


def _integer_bits(layer: Layer, scale: float) -> int:
    power = math.log2(scale)
    if not power.is_integer() or not -15 <= power <= -11:
        raise unsupported(layer, f"a cell state of scale {scale:g}; powers of two from 2^-15 to 2^-11 are")
    return 15 + int(power)


def _gate(layer: Layer, context: Context, number: int, constants: list[Constant]) -> str:
    """A struct mcu_lstm_gate; its arrays are added to `constants`."""
    name = _GATES[number]
    bias = context.tensor(layer.inputs[_BIASES + number]).data
    assert bias is not None
    members = {}
    for kind, first, values, added in (
        ("input", _INPUT_WEIGHTS, layer.inputs[0], bias.astype(np.int64)),
        ("recurrent", _RECURRENT_WEIGHTS, layer.inputs[_OUTPUT_STATE], np.zeros(bias.size, np.int64)),
    ):
        weights, incoming = context.tensor(layer.inputs[first + number]), affine(layer, context.tensor(values))
        data: npt.NDArray[np.generic] | None = weights.data
        assert data is not None
        sums = data.astype(np.int64)
        if int((np.abs(added) + 255 * np.abs(sums).sum(axis=1)).max()) >= _LARGEST_SUM:
            raise unsupported(layer, f"sums of its {name} gate could overflow 32 bits")
        scale = np.float32(affine(layer, weights).scale) * np.float32(incoming.scale) / _GATE_SCALE
        multiplier, shift = quantize_multiplier(float(scale))
        if shift > _MOST_LEFT:
            raise unsupported(layer, f"scales of its {name} gate that are out of proportion")
        constants.append(Constant(f"{name}_{kind}_weights", data))
        constants.append(
            Constant(f"{name}_{kind}_bias", (added - incoming.zero_point * sums.sum(axis=1)).astype(np.int32))
        )
        members[f"{kind}_weights"] = context.name(f"{name}_{kind}_weights")
        members[f"{kind}_bias"] = context.name(f"{name}_{kind}_bias")
        members[f"{kind}_multiplier"] = str(multiplier)
        members[f"{kind}_right"] = str(-shift)
    return "{" + ", ".join(f".{member} = {value}" for member, value in members.items()) + "}"


EMITTERS = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": emit,
}
