"""Layers of TFLite_Detection_PostProcess, brought into the one form that there is a kernel for."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.model.graph import Attribute, Graph, Layer
from mcu_harness.model.operation import Operation, ShapeError
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.operators.detection import DETECTION

_DEFAULTS: dict[str, float] = {"detections_per_class": 100, "use_regular_nms": 0}
_WHOLE = ("max_detections", "max_classes_per_detection", "detections_per_class", "num_classes")
_REAL = ("nms_score_threshold", "nms_iou_threshold", "y_scale", "x_scale", "h_scale", "w_scale")
_LARGEST = 2**31 - 1


def detection_attributes(given: dict[str, float]) -> dict[str, Attribute]:
    """Attributes from the custom options; what a file leaves out is 0, as LiteRT reads it."""
    found = {**dict.fromkeys((*_WHOLE, *_REAL), 0.0), **_DEFAULTS, **given}
    whole = {name: int(min(max(found[name], -1), _LARGEST)) if found[name] == found[name] else -1 for name in _WHOLE}
    real = {name: float(found[name]) for name in _REAL}
    return {**whole, **real, "use_regular_nms": bool(found["use_regular_nms"])}


def settle_detections(graph: Graph) -> Graph:
    """`graph` with outputs of detections as large as LiteRT makes them, whatever the file says, and with what a DEQUANTIZE before
    them reads in place of its floats."""
    if not any(layer.operator == DETECTION for layer in graph.layers):
        return graph
    bytes_of = {
        layer.outputs[0]: layer.inputs[0]
        for layer in graph.layers
        if layer.operator == "DEQUANTIZE" and len(layer.inputs) == len(layer.outputs) == 1
    }
    tensors, layers = list(graph.tensors), list[Layer]()
    for layer in graph.layers:
        if layer.operator != DETECTION:
            layers.append(layer)
            continue
        moved = replace(layer, inputs=tuple(bytes_of.get(index, index) for index in layer.inputs))
        layers.append(moved)
        try:
            shapes = OPERATORS[DETECTION].shapes(Operation.among(tensors, moved))
        except ShapeError:
            continue  # the checks say so
        for index, shape in zip(moved.outputs, shapes, strict=False):
            tensors[index] = replace(tensors[index], shape=shape)
    return replace(graph, tensors=tuple(tensors), layers=tuple(layers))
