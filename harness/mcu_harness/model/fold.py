"""Takes out what does not depend on the model's inputs: shape arithmetic that converters leave in static models.

Keras' Flatten arrives as SHAPE -> STRIDED_SLICE -> PACK -> RESHAPE. With static shapes the first three are constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.model.graph import Graph, Layer, Tensor
from mcu_harness.model.operation import Operation, ShapeError, View
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.slices import picked

Numbers = npt.NDArray[np.generic]

_MAX_ELEMENTS = 64  # shapes and positions are small
_MAX_BYTES = 1 << 20  # of a constant that is only moved: larger than flash has room for beside the original


def fold_constants(graph: Graph) -> Graph:
    """`graph` without layers that only compute int32 constants; their outputs have `data` then.

    The remaining layers are numbered anew, so an index counts what runs. Layers that are malformed stay as they are:
    it is for validation to say what is wrong with them.
    """
    tensors = list(graph.tensors)
    layers: list[Layer] = []
    fixed = {*graph.inputs, *graph.outputs}
    for layer in graph.layers:
        result = _value(tensors, layer, fixed) if layer.operator in _FOLDS else None
        if result is None:
            layers.append(replace(layer, index=len(layers)))
        else:
            tensors[layer.outputs[0]] = replace(tensors[layer.outputs[0]], data=result)
    return replace(graph, tensors=tuple(tensors), layers=tuple(layers))


def _value(tensors: Sequence[Tensor], layer: Layer, fixed: Set[int]) -> Numbers | None:
    """What the layer computes, None where that is not known or not as the file says."""
    operation = Operation.among(tensors, layer)
    if len(layer.outputs) != 1 or layer.outputs[0] in fixed:
        return None
    output = operation.outputs[0]
    operands = [tensor for tensor in operation.inputs if tensor is not None]
    known = layer.operator == "SHAPE" or all(_is_small_constant(tensor) for tensor in operands)
    if not operands or len(operands) != len(operation.inputs):
        return None
    if layer.operator in _MOVES and _can_move(operands, output):
        known = True
    elif output.dtype != "int32":
        return None
    if output.is_constant or not known:
        return None
    try:
        result = _FOLDS[layer.operator](operation, [tensor.data for tensor in operands if tensor.data is not None])
    except (ShapeError, ValueError, IndexError):
        return None
    fits = result.nbytes <= (_MAX_BYTES if layer.operator in _MOVES else 4 * _MAX_ELEMENTS)
    return result if result.shape == output.shape and fits else None


def _can_move(operands: Sequence[Tensor], output: Tensor) -> bool:
    """Whether a constant of any type is only put into another shape or order."""
    moved = operands[0]
    same = moved.dtype == output.dtype and moved.quantization == output.quantization
    return same and all(tensor.is_constant for tensor in operands) and output.nbytes <= _MAX_BYTES


def _is_small_constant(tensor: Tensor) -> bool:
    return tensor.dtype == "int32" and tensor.is_constant and tensor.elements <= _MAX_ELEMENTS


def _shape(operation: Operation, _: Sequence[Numbers]) -> Numbers:
    return np.array(operation.shape(), np.int32)


def _strided_slice(operation: Operation, values: Sequence[Numbers]) -> Numbers:
    part = picked(operation)
    return values[0][part.slices].reshape(part.shape)


def _pack(operation: Operation, values: Sequence[Numbers]) -> Numbers:
    return np.stack(values, axis=operation.number("axis"))


def _concatenation(operation: Operation, values: Sequence[Numbers]) -> Numbers:
    return np.concatenate(values, axis=operation.number("axis"))


def _moved(view_of: Callable[[Operation, View], View]) -> Callable[[Operation, Sequence[Numbers]], Numbers]:
    def fold(operation: Operation, values: Sequence[Numbers]) -> Numbers:
        view = view_of(operation, values[0])
        if view.size != operation.outputs[0].elements:  # before it becomes an array of that size
            raise ShapeError(f"{view.shape} is not what the model says")
        return np.ascontiguousarray(view).reshape(operation.outputs[0].shape)

    return fold


def _reshape(operation: Operation, values: Sequence[Numbers]) -> Numbers:
    return values[0].reshape(operation.outputs[0].shape)


def _transpose(operation: Operation, values: Sequence[Numbers]) -> Numbers:
    return np.ascontiguousarray(values[0].transpose(operation.indices(1)))


_MOVES: dict[str, Callable[[Operation, Sequence[Numbers]], Numbers]] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "TRANSPOSE": _transpose,
    **{name: _moved(operator.view) for name, operator in OPERATORS.items() if operator.view},
}

_FOLDS: dict[str, Callable[[Operation, Sequence[Numbers]], Numbers]] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    **_MOVES,
}
