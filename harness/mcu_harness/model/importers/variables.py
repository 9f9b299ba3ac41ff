"""State of streaming models: resource variables become tensors that keep their value from one inference to the next.

TensorFlow's streaming models name a variable (VAR_HANDLE), read and assign it, and set it once in a subgraph of its own
(CALL_ONCE). What remains of that here are state tensors with a first value, reads that are the tensor itself where nothing
assigns it before the last use, and assignments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.graph import Graph, Layer, Tensor

Values = dict[str, npt.NDArray[np.generic]]

_HANDLE, _READ, _ASSIGN, _ONCE = "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"


def first_values(tensors: Sequence[Tensor], layers: Sequence[Layer], source: str) -> Values:
    """What a subgraph of initialisation assigns, by the variable's name. Raises ModelError for what is not constant."""
    names = {layer.outputs[0]: _name(layer) for layer in layers if layer.operator == _HANDLE}
    values: Values = {}
    for layer in layers:
        if layer.operator == _HANDLE:
            continue
        whole = layer.operator == _ASSIGN and len(layer.inputs) == 2 and min(layer.inputs) >= 0
        data = tensors[layer.inputs[1]].data if whole else None
        if data is None or layer.inputs[0] not in names:
            raise ModelError(
                f"{source}: {layer.place} of the subgraph of initialisation does not assign a constant to a variable",
                hint="initialise the states of a streaming model with constants",
            )
        values[names[layer.inputs[0]]] = data
    return values


def resolve(graph: Graph, values: Mapping[str, npt.NDArray[np.generic]]) -> Graph:
    """`graph` with state tensors instead of variables, whose first values are given by name. Raises ModelError."""
    if not any(layer.operator in (_HANDLE, _READ, _ASSIGN, _ONCE) for layer in graph.layers):
        return graph
    for layer in graph.layers:
        wanted = {_READ: (1, 1), _ASSIGN: (2, 0)}.get(layer.operator)
        if wanted and ((len(layer.inputs), len(layer.outputs)) != wanted or min(layer.inputs) < 0):
            raise ModelError(
                f"{graph.source}: {layer.place}: {len(layer.inputs)} inputs and {len(layer.outputs)} outputs"
            )
    tensors = list(graph.tensors)
    states = _states(graph, tensors, values)
    assigned = [layer.index for layer in graph.layers if layer.operator == _ASSIGN]
    same: dict[int, int] = {}
    layers: list[Layer] = []
    for layer in graph.layers:
        if layer.operator in (_HANDLE, _ONCE):
            continue
        inputs = tuple(same.get(index, states.get(index, index)) for index in layer.inputs)
        layer = replace(layer, index=len(layers), inputs=inputs)
        if layer.operator == _READ:
            state, copy = inputs[0], layer.outputs[0]
            if not _changes_while_used(graph, states, state, layer.number, copy, assigned):
                same[copy] = state
                continue
        elif layer.operator == _ASSIGN:
            layer = replace(layer, inputs=inputs[1:], outputs=inputs[:1])
        layers.append(layer)
    outputs = tuple(same.get(index, index) for index in graph.outputs)
    return replace(graph, tensors=tuple(tensors), layers=tuple(layers), outputs=outputs)


def _name(layer: Layer) -> str:
    return f"{layer.attributes['container']}/{layer.attributes['shared_name']}"


def _states(graph: Graph, tensors: list[Tensor], values: Mapping[str, npt.NDArray[np.generic]]) -> dict[int, int]:
    """The state tensor of every handle; the first handle of a variable is given the variable's shape and type."""
    first: dict[str, int] = {}
    states = {}
    for layer in graph.layers:
        if layer.operator == _HANDLE:
            states[layer.outputs[0]] = first.setdefault(_name(layer), layer.outputs[0])
    for name, state in first.items():
        shown = next((layer for layer in graph.layers if _uses(layer, states, state)), None)
        if shown is None:
            continue
        example = graph.tensors[shown.outputs[0] if shown.operator == _READ else shown.inputs[1]]
        value = values.get(name)
        if value is None or value.shape != example.shape or value.dtype.name != example.dtype:
            raise ModelError(
                f"{graph.source}: {shown.place}: variable {name[:60]!a} has no first value of shape {example.shape} and type {example.dtype}",
                hint="the model must set its states in a subgraph that CALL_ONCE names",
            )
        tensors[state] = replace(example, index=state, name=name, initial=value)
    return states


def _uses(layer: Layer, states: Mapping[int, int], state: int) -> bool:
    return layer.operator in (_READ, _ASSIGN) and bool(layer.inputs) and states.get(layer.inputs[0]) == state


def _changes_while_used(
    graph: Graph, states: Mapping[int, int], state: int, read_at: int, copy: int, assigned: Sequence[int]
) -> bool:
    """Whether the variable is assigned between being read and the last use of what was read."""
    if copy in graph.outputs:
        return True
    last = max((layer.index for layer in graph.layers if copy in layer.inputs), default=read_at)
    return any(read_at < at < last and states.get(graph.layers[at].inputs[0]) == state for at in assigned)
