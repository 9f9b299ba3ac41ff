"""A float ONNX model that is being changed: constants as arrays, who makes and who reads a value, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Array = npt.NDArray[Any]


class Net:
    """`constants` are all initializers, one for each place that reads one; `nodes` are in order. `model()` writes it back."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = onnx.ModelProto()
        self._model.CopyFrom(model)
        graph = self._model.graph
        self.constants: dict[str, Array] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.nodes: list[Any] = list(graph.node)
        self.outputs = {tensor.name for tensor in graph.output}
        self.inputs = [tensor.name for tensor in graph.input if tensor.name not in self.constants]
        self._shapes = {
            value.name: tuple(int(size.dim_value) for size in value.type.tensor_type.shape.dim)
            for value in (*graph.value_info, *graph.input, *graph.output)
        }
        self._give_each_reader_its_own()

    def _give_each_reader_its_own(self) -> None:
        """Copy constants that several nodes read, so that changing one changes nothing else."""
        seen: set[str] = set()
        for node in self.nodes:
            for place, name in enumerate(node.input):
                if name in self.constants:
                    if name in seen:
                        own = self.fresh(name)
                        self.constants[own] = self.constants[name]
                        node.input[place] = own
                    seen.add(name)

    def fresh(self, name: str) -> str:
        """A name like `name` that nothing has."""
        taken = {*self.constants, *self._shapes, *(output for node in self.nodes for output in node.output)}
        return next(made for number in range(1, 1 << 30) if (made := f"{name}_{number}") not in taken)

    def shape(self, value: str) -> tuple[int, ...]:
        """The shape of a value in the model as it was read; () where it is not known."""
        return self._shapes.get(value, ())

    def maker(self, value: str) -> Any:
        """The node that writes `value`, None for inputs and constants."""
        return next((node for node in self.nodes if value in node.output), None)

    def readers(self, value: str) -> list[Any]:
        return [node for node in self.nodes if value in node.input]

    def replace(self, node: Any, others: Sequence[Any]) -> None:
        """Put `others` in the place of `node`."""
        place = next(nth for nth, other in enumerate(self.nodes) if other is node)
        self.nodes[place : place + 1] = others

    def model(self) -> onnx.ModelProto:
        """The model as it is now, shapes not yet inferred; constants that nothing reads are left out."""
        graph = self._model.graph
        read = {name for node in self.nodes for name in node.input}
        nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in self.nodes]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(nodes)
        made = [numpy_helper.from_array(array, name) for name, array in self.constants.items() if name in read]
        graph.initializer.extend(made)
        found = onnx.ModelProto()
        found.CopyFrom(self._model)
        return found


def attribute(node: Any, name: str, default: Any = None) -> Any:
    """The value of a node's attribute."""
    found = next((each for each in node.attribute if each.name == name), None)
    return default if found is None else onnx.helper.get_attribute_value(found)


def label(node: Any) -> str:
    """A node for people: its name and kind."""
    name = node.name or node.output[0]
    return name if node.op_type in name else f"{node.op_type} {name}"


def costs(model: onnx.ModelProto) -> tuple[int, int]:
    """(parameters, MACs for one sample) of a model with inferred shapes."""
    net = Net(model)
    weights, macs = 0, 0
    for node in net.nodes:
        own = [net.constants[name] for name in node.input if name in net.constants]
        weights += sum(array.size for array in own if array.dtype.kind == "f")
        if not own or node.op_type not in ("Conv", "Gemm", "MatMul", "ConvTranspose"):
            continue
        filters = next((net.constants[name] for name in node.input[1:2] if name in net.constants), None)
        if filters is None:
            continue
        if node.op_type == "Conv":
            macs += filters.size * math.prod(net.shape(node.output[0])[2:])
        elif node.op_type == "ConvTranspose":
            macs += filters.size * math.prod(net.shape(node.input[0])[2:])
        else:
            macs += filters.size * math.prod(net.shape(node.output[0])[:-1])
    return weights, macs


def idle_weights(net: Net) -> tuple[float, int]:
    """The share of weights of filters that are 0, and how many filters have at most 16 different values."""
    filters = [array for array in net.constants.values() if array.dtype.kind == "f" and array.ndim > 1]
    total = sum(array.size for array in filters)
    zeros = sum(int(np.count_nonzero(array == 0)) for array in filters)
    few = sum(1 for array in filters if array.size > 64 and len(np.unique(array)) <= 16)
    return (zeros / total if total else 0.0), few
