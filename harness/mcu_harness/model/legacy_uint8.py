"""Models of uint8, as TensorFlow 1 made them, as models of int8: every number is 128 less, and so is its zero point.

Most kernels of the reference compute the same then. What differs is said by attributes of the layers: convolutions and dense layers have
filters with a zero point, convolutions multiply by a product of scales that is a float32, and means of pools are rounded up at halves.
CONCATENATION brings inputs to the scale of its output: layers of QUANTIZE do that here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.model.graph import Graph, Layer, Quantization, Tensor
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.operators.detection import DETECTION

AS_UINT8 = "as_uint8"  # the attribute of layers that compute otherwise than of int8
FILTER_ZERO_POINT = "filter_zero_point"
AS_JOINED = "as_joined_in_uint8"  # the attribute of a QUANTIZE that stands for what CONCATENATION of uint8 does to an input of another scale
_FLIP = 128

# Whose reference kernels of uint8 and int8 compute the same, 128 apart, or as AS_UINT8 says.
_SAME = frozenset(
    """
    CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED AVERAGE_POOL_2D MAX_POOL_2D ADD SUB MUL RELU RELU6 LOGISTIC TANH SOFTMAX LEAKY_RELU
    RESHAPE SQUEEZE EXPAND_DIMS TRANSPOSE PAD CONCATENATION SPLIT STRIDED_SLICE SLICE PACK UNPACK RESIZE_NEAREST_NEIGHBOR MEAN
    MAXIMUM MINIMUM RESIZE_BILINEAR ARG_MAX ARG_MIN REDUCE_MAX REDUCE_MIN QUANTIZE DEQUANTIZE GATHER TILE HARD_SWISH
    """.split()  # noqa: SIM905
) | {DETECTION}
_OTHERWISE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "RESIZE_BILINEAR")
_WITH_FILTER = _OTHERWISE[:3]


def as_int8(graph: Graph) -> Graph:
    """`graph` itself, or its int8 form where its layers compute in uint8: inputs and outputs of uint8 stay what they are, through
    QUANTIZE layers at the edges, which are numbered anew.

    A layer whose reference kernel of uint8 is another one stays as it is: for the checks to refuse.
    """
    if not any(_computes_in_uint8(graph, layer) for layer in graph.layers):
        return graph
    if any(layer.operator not in _SAME for layer in graph.layers):
        return graph
    tensors = [_flipped(tensor) for tensor in graph.tensors]
    layers: list[Layer] = []
    inside: dict[int, int] = {}
    for edge in (graph.inputs, graph.outputs):
        for index in edge:
            if graph.tensors[index].dtype == "uint8" and index not in inside:
                inside[index] = len(tensors)
                tensors.append(replace(tensors[index], index=len(tensors), is_made=True))
                tensors[index] = graph.tensors[index]
    for index in graph.inputs:
        if index in inside:
            layers.append(Layer(0, "QUANTIZE", (index,), (inside[index],)))
    for layer in graph.layers:
        moved = replace(
            layer,
            inputs=tuple(inside.get(index, index) for index in layer.inputs),
            outputs=tuple(inside.get(index, index) for index in layer.outputs),
        )
        if _rescales(graph, layer):
            moved = _rescaled(moved, tensors, layers)
        layers.append(_marked(moved, tensors) if layer.operator in _OTHERWISE else moved)
    for index in graph.outputs:
        if index in inside and index not in graph.inputs:
            layers.append(Layer(0, "QUANTIZE", (inside[index],), (index,)))
    numbered = tuple(replace(layer, index=number) for number, layer in enumerate(layers))
    return replace(graph, tensors=tuple(tensors), layers=numbered)


def _computes_in_uint8(graph: Graph, layer: Layer) -> bool:
    operator = OPERATORS.get(layer.operator)
    first = next((graph.tensors[index] for index in layer.inputs if index >= 0), None)
    moves = operator is None or "uint8" in operator.types or layer.operator in ("QUANTIZE", "DEQUANTIZE", "CAST")
    return first is not None and first.dtype == "uint8" and (not moves or _rescales(graph, layer))


def _rescales(graph: Graph, layer: Layer) -> bool:
    """A CONCATENATION that brings inputs to the scale of its output, as LiteRT does of uint8 alone."""
    if layer.operator != "CONCATENATION" or len(layer.outputs) != 1:
        return False
    tensors = [graph.tensors[index] for index in (*layer.inputs, *layer.outputs) if index >= 0]
    given = [tensor.quantization for tensor in tensors if tensor.dtype == "uint8"]
    known = [each for each in given if each is not None and not each.per_channel]
    return len(known) == len(given) and any(not _same(each, known[0]) for each in known)


def _same(first: Quantization, second: Quantization) -> bool:
    """Exactly, as LiteRT compares them."""
    return (first.scales, first.zero_points) == (second.scales, second.zero_points)


def _rescaled(layer: Layer, tensors: list[Tensor], layers: list[Layer]) -> Layer:
    """`layer` with all inputs of its output's scale: constants are computed, before activations a QUANTIZE is added to `layers`."""
    wanted = tensors[layer.outputs[0]].quantization
    made: dict[int, int] = {}
    for index in dict.fromkeys(layer.inputs):
        tensor = tensors[index]
        if index < 0 or tensor.dtype != "int8" or tensor.quantization is None or wanted is None:
            continue  # for the checks to refuse
        if _same(tensor.quantization, wanted):
            continue
        made[index] = len(tensors)
        data = None if tensor.data is None else joined_values(tensor.data, tensor.quantization, wanted)
        tensors.append(replace(tensor, index=len(tensors), quantization=wanted, data=data, is_made=True))
        if data is None:
            layers.append(Layer(0, "QUANTIZE", (index,), (made[index],), {AS_JOINED: True}))
    return replace(layer, inputs=tuple(made.get(index, index) for index in layer.inputs))


def joined_values(values: npt.NDArray[np.generic], source: Quantization, result: Quantization) -> npt.NDArray[np.int8]:
    """int8 `values` of scale and zero point `source` as CONCATENATION of uint8 has them in `result`: in float32, halves away from 0."""
    scale = np.float32(source.scales[0]) * (np.float32(1) / np.float32(result.scales[0]))
    bias = np.float32(-(source.zero_points[0] + _FLIP)) * scale
    reals = (values.astype(np.float32) + np.float32(_FLIP)) * scale + bias
    rounded = np.trunc(np.abs(reals).astype(np.float64) + 0.5) * np.sign(reals)
    found: npt.NDArray[np.int8] = np.clip(rounded + result.zero_points[0], -_FLIP, _FLIP - 1).astype(np.int8)
    return found


def _flipped(tensor: Tensor) -> Tensor:
    if tensor.dtype != "uint8" or tensor.quantization is None:
        return tensor
    points = tuple(point - _FLIP for point in tensor.quantization.zero_points)
    data = None if tensor.data is None else (tensor.data.view(np.uint8) ^ np.uint8(_FLIP)).view(np.int8)
    return replace(tensor, dtype="int8", quantization=replace(tensor.quantization, zero_points=points), data=data)


def _marked(layer: Layer, tensors: list[Tensor]) -> Layer:
    """`layer` with what is different of it; the zero point of its filter goes from the tensor into it."""
    attributes = {**layer.attributes, AS_UINT8: True}
    if layer.operator in _WITH_FILTER and len(layer.inputs) > 1:
        weights = tensors[layer.inputs[1]]
        if weights.is_constant and weights.quantization is not None and not weights.quantization.per_channel:
            attributes[FILTER_ZERO_POINT] = weights.quantization.zero_points[0]
            tensors.append(
                replace(weights, index=len(tensors), quantization=replace(weights.quantization, zero_points=(0,)))
            )
            return replace(layer, attributes=attributes, inputs=(layer.inputs[0], len(tensors) - 1, *layer.inputs[2:]))
    return replace(layer, attributes=attributes)
