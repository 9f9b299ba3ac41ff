"""DEQUANTIZE, one function of a float, QUANTIZE: from byte to byte, which is a table of 256 results.

Quantisers leave such islands around functions that they have no integer form for (LEAKY_RELU in models of PyTorch).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from mcu_harness.model.graph import Graph, Layer

THROUGH_FLOAT = "through_float"  # the option of a layer that is an island

# Functions whose float kernels have one way to be computed.
FUNCTIONS = frozenset(
    {"RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH", "ABS", "NEG", "LOGISTIC", "TANH", "SQRT"}
)


def join_float_islands(graph: Graph) -> Graph:
    """`graph` with each island as one layer, that of its function, from the byte before to the byte behind it.

    Layers are numbered anew. Islands of which something else reads the inside stay as they are.
    """
    readers = Counter(index for layer in graph.layers for index in set(layer.inputs))
    readers.update(graph.outputs)
    writer = {index: layer for layer in graph.layers for index in layer.outputs}
    gone: set[int] = set()
    joined: dict[int, Layer] = {}
    for layer in graph.layers:
        inner = writer.get(layer.inputs[0]) if layer.operator == "QUANTIZE" and len(layer.inputs) == 1 else None
        if inner is None or inner.operator not in FUNCTIONS or len(inner.inputs) != 1:
            continue
        outer = writer.get(inner.inputs[0])
        if outer is None or outer.operator != "DEQUANTIZE" or len(outer.inputs) != 1:
            continue
        ends = (graph.tensors[outer.inputs[0]], graph.tensors[layer.outputs[0]])
        insides = (graph.tensors[inner.inputs[0]], graph.tensors[inner.outputs[0]])
        alone = all(readers[tensor.index] == 1 and tensor.dtype == "float32" for tensor in insides)
        same = len({tensor.shape for tensor in (*ends, *insides)}) == 1
        if alone and same and all(tensor.dtype == "int8" and not tensor.is_constant for tensor in ends):
            gone |= {outer.index, layer.index}
            joined[inner.index] = replace(
                inner,
                inputs=outer.inputs,
                outputs=layer.outputs,
                attributes={**inner.attributes, THROUGH_FLOAT: True},
            )
    layers = [joined.get(layer.index, layer) for layer in graph.layers if layer.index not in gone]
    return replace(graph, layers=tuple(replace(layer, index=index) for index, layer in enumerate(layers)))
