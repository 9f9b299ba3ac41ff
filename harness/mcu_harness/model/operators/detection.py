"""TFLite_Detection_PostProcess, a custom operator that LiteRT has: what the export scripts of SSD detectors put at the end.

LiteRT computes it in float, from uint8 or from float. What goes into it here is bytes: where the model dequantises before it, that is part of
the operator (`mcu_harness.model.detection`).
"""

from __future__ import annotations

import math

import numpy as np

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.operator import Operator, Role
from mcu_harness.model.operators.shapes import expect_rank

DETECTION = "TFLite_Detection_PostProcess"
MOST = 65535  # boxes, columns, detections


def detections(op: Operation) -> int:
    return op.number("max_detections")


def _shapes(op: Operation) -> tuple[Shape, ...]:
    boxes, scores, anchors = op.shape(0), op.shape(1), op.shape(2)
    for shape, rank, what in ((boxes, 3, "boxes"), (scores, 3, "scores"), (anchors, 2, "anchors")):
        expect_rank(shape, rank, f"the operand {what}")
    count, classes = boxes[1], op.number("num_classes")
    if boxes[0] != 1 or boxes[2] < 4 or scores[:2] != (1, count) or anchors != (count, 4):
        raise ShapeError(
            f"boxes {boxes}, scores {scores} and anchors {anchors} do not belong together (of a batch of one)"
        )
    if not 1 <= classes <= scores[2] <= classes + 1:
        raise ShapeError(f"scores {scores} for {classes} classes, with or without a background")
    if not 1 <= detections(op) <= MOST or max(count, scores[2]) > MOST:
        raise ShapeError(f"{detections(op)} detections of {count} boxes and {scores[2]} columns, at most {MOST} each")
    return (1, detections(op), 4), (1, detections(op)), (1, detections(op)), (1,)


def anchors_of(op: Operation) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """float32 (boxes, 4): y, x, h, w; raises ShapeError."""
    tensor = op.operand(2)
    if tensor.data is None or tensor.dtype not in ("float32", "int8", "uint8"):
        raise ShapeError("anchors must be constant, of float32 or bytes")
    values = tensor.data.astype(np.float32)
    if tensor.dtype != "float32":
        if tensor.quantization is None or tensor.quantization.per_channel:
            raise ShapeError("anchors of bytes need one scale")
        point, scale = tensor.quantization.zero_points[0], np.float32(tensor.quantization.scales[0])
        values = (values - np.float32(point)) * scale
    return values


def _problem(op: Operation) -> str:
    """What LiteRT's kernel refuses while it runs, or leaves to the order in which equal scores happen to be sorted."""
    try:
        anchors = anchors_of(op)
    except ShapeError as error:
        return str(error)
    overlap = float(op.attributes["nms_iou_threshold"])  # type: ignore[arg-type]
    scales = [float(op.attributes[f"{letter}_scale"]) for letter in "yxhw"]  # type: ignore[arg-type]
    if not np.isfinite(anchors).all() or (anchors[:, 2:] < 0).any():
        return "an anchor is less than nothing wide or high, or no number"
    if not 0 < overlap <= 1:
        return f"nms_iou_threshold is {overlap:g}, expected more than 0, and 1 at most"
    if not all(math.isfinite(scale) and scale > 0 for scale in scales):
        return f"scales of the box coordinates are {scales}"
    if not op.attributes["use_regular_nms"] and op.number("max_classes_per_detection") != 1:
        return (
            f"max_classes_per_detection is {op.number('max_classes_per_detection')} without use_regular_nms: LiteRT sorts a box's classes "
            "so that the order of equal scores is not defined; 1 is supported"
        )
    if op.attributes["use_regular_nms"] and op.number("detections_per_class") < 1:
        return "detections_per_class is less than 1"
    quantization = op.operand(0).quantization
    if quantization is None:
        return "boxes need a scale"
    reach = 255 * quantization.scales[0]
    if reach / min(scales[2:]) > 80 or reach / min(scales[:2]) * float(np.abs(anchors).max()) > 1e30:
        return "decoded boxes overflow float32"
    return ""


OPERATORS = (
    Operator(
        DETECTION,
        (Role.ACTIVATION, Role.ACTIVATION, Role.MOVED_VALUE),
        _shapes,
        output=Role.FLOAT,
        outputs=4,
        results=("float32",),
        problem=_problem,
    ),
)
