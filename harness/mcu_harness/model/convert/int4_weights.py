"""Filters of an int8 .tflite as numbers of 4 bits, with scales and biases that follow. For workers."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import numpy as np

from mcu_harness.model.convert.refusal import Refusal
from mcu_harness.model.convert.tflite_file import Array, TfliteFile

# Operators that LiteRT has kernels with weights of 4 bits for, and the version that first had them.
_VERSIONS = {"CONV_2D": 7, "DEPTHWISE_CONV_2D": 7, "FULLY_CONNECTED": 10}
_WEIGHTS, _BIAS, _LARGEST = 1, 2, 7
# Scales that are tried, as parts of the one that reaches the largest weight: rounding the others finer can be worth clipping it.
_TRIED = np.linspace(0.5, 1.0, 26)


def with_int4_weights(content: bytes) -> tuple[bytes, int, int]:
    """The model `content` with weights of 4 bits; how many layers have them, and how many weights those are.

    Symmetric, a scale where there was one: that of the least squared error. Raises Refusal where no layer can have them.
    """
    file = TfliteFile(content)
    readers = Counter(index for operator in file.graph.operators for index in _indices(operator))
    as_filters = Counter(
        _indices(operator)[_WEIGHTS] for operator in file.graph.operators if file.kind(operator) in _VERSIONS
    )
    shared: dict[int, tuple[int, Array]] = {}
    layers = weights = 0
    for operator in file.graph.operators:
        kind, inputs = file.kind(operator), _indices(operator)
        if kind not in _VERSIONS or not (inputs[_WEIGHTS] in shared or _is_int8(file, inputs[_WEIGHTS])):
            continue
        if inputs[_WEIGHTS] not in shared:
            alone = readers[inputs[_WEIGHTS]] == as_filters[inputs[_WEIGHTS]]
            shared[inputs[_WEIGHTS]] = _narrowed(file, inputs[_WEIGHTS], alone=alone)
            weights += int(np.prod(file.tensors[inputs[_WEIGHTS]].shape))
        index, factors = shared[inputs[_WEIGHTS]]
        inputs[_WEIGHTS] = index
        if len(inputs) > _BIAS and inputs[_BIAS] >= 0:
            inputs[_BIAS] = _rescaled(file, inputs[_BIAS], factors, alone=readers[inputs[_BIAS]] == 1)
        operator.inputs = np.array(inputs, np.int32)
        operator.opcodeIndex = file.code(kind, _VERSIONS[kind])
        layers += 1
    if not layers:
        raise Refusal(
            "no layer has int8 weights that could have 4 bits", f"those of {', '.join(sorted(_VERSIONS))} can"
        )
    return file.build(), layers, weights


def _indices(operator: Any) -> list[int]:
    return [] if operator.inputs is None else [int(index) for index in operator.inputs]


def _is_int8(file: TfliteFile, index: int) -> bool:
    values = file.constant(index)
    return (
        values is not None
        and values.dtype == np.int8
        and file.scales(index) is not None
        and not file.zero_points(index).any()
    )


def _narrowed(file: TfliteFile, index: int, *, alone: bool) -> tuple[int, Array]:
    """The tensor of 4 bits for weights `index`, and by how much each scale grew, (1,) or one a channel.

    A tensor of its own, unless such layers `alone` read the weights.
    """
    values, scales = file.constant(index), file.scales(index)
    assert values is not None and scales is not None
    many = scales.size > 1
    axes = tuple(axis for axis in range(values.ndim) if not many or scales.shape[axis] == 1)
    numbers = values.astype(np.float64)
    largest = np.abs(numbers).max(axis=axes, keepdims=True)
    largest = np.where(largest > 0, largest, _LARGEST)
    best, least = largest / _LARGEST, np.full(largest.shape, np.inf)
    for part in _TRIED:
        tried = part * largest / _LARGEST
        error = ((_rounded(numbers, tried) * tried - numbers) ** 2).sum(axis=axes, keepdims=True)
        best, least = np.where(error < least, tried, best), np.minimum(error, least)
    tensor = file.tensors[index] if alone else copy.deepcopy(file.tensors[index])
    factors = best.reshape(-1)
    tensor.quantization.scale = (np.asarray(tensor.quantization.scale) * factors).astype(np.float32)
    file.set_int4(tensor, _rounded(numbers, best))
    return index if alone else file.add(tensor), factors


def _rounded(numbers: Array, scales: Array) -> Array:
    return np.asarray(np.clip(np.round(numbers / scales), -_LARGEST, _LARGEST))


def _rescaled(file: TfliteFile, index: int, factors: Array, *, alone: bool) -> int:
    """The bias `index` for weights whose scales are `factors` times what they were; its own tensor unless `alone` reads it."""
    values = file.constant(index)
    if values is None:
        raise Refusal(f"tensor {index}: a bias that is no constant", "give the float model")
    tensor = file.tensors[index] if alone else copy.deepcopy(file.tensors[index])
    file.set_constant(tensor, np.round(values.astype(np.float64) / factors).astype(values.dtype))
    if tensor.quantization is not None and tensor.quantization.scale is not None and len(tensor.quantization.scale):
        grown = np.asarray(tensor.quantization.scale, np.float64) * factors
        tensor.quantization.scale = grown.astype(np.float32)
        if tensor.quantization.zeroPoint is not None and len(tensor.quantization.zeroPoint) != len(grown):
            tensor.quantization.zeroPoint = np.zeros(len(grown), np.int64)
    return index if alone else file.add(tensor)
