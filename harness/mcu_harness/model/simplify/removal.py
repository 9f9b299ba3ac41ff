"""Leaves out layers whose outputs nothing reads."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.model.graph import Graph, Layer


def without_unread_layers(graph: Graph) -> Graph:
    """`graph` without them, the rest numbered anew; layers that work on states stay."""
    read = {*graph.outputs}
    kept: list[Layer] = []
    removed: list[Layer] = []
    for layer in reversed(graph.layers):
        operands = [graph.tensors[index] for index in (*layer.inputs, *layer.outputs) if index >= 0]
        if read.isdisjoint(layer.outputs) and not any(tensor.is_state for tensor in operands):
            removed.insert(0, layer)
        else:
            kept.insert(0, layer)
            read.update(layer.inputs)
    merged = {place for layer in kept for place in layer.merged}
    removed = [layer for layer in removed if layer.place not in merged]
    layers = tuple(replace(layer, index=index) for index, layer in enumerate(kept))
    return replace(graph, layers=layers, removed=(*graph.removed, *removed))
