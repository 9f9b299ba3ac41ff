"""Resize and Upsample, by nearest neighbour and bilinear."""

from __future__ import annotations

import math
from typing import Any

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.operators.windows import NHWC, in_two_dimensions, output

_HALF = ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric")


@handler("Resize", "Upsample")
def resize(importer: Importer, node: Any) -> None:
    source, shape = importer.value(node), importer.shape(node)
    if len(shape) not in (3, 4) or shape[:2] != source.shape[:2]:
        raise importer.refusal(node, f"{source.shape} to {shape}: batch and channels have to stay")
    mode = importer.attribute(node, "mode", "nearest")
    old = node.op_type == "Upsample" or importer.network.opset < 11
    centres = "asymmetric" if old else importer.attribute(node, "coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if old else importer.attribute(node, "nearest_mode", "round_prefer_floor")
    value = in_two_dimensions(importer, source)
    before, after = value.shape[2:], (1, 1, *shape[2:])[-2:]
    if mode == "nearest":
        code, options = "RESIZE_NEAREST_NEIGHBOR", _nearest(importer, node, before, after, centres, rounding)
    elif mode in ("linear", "bilinear"):
        if importer.attribute(node, "antialias", 0) and any(a < b for a, b in zip(after, before, strict=True)):
            raise importer.refusal(node, "antialias")
        if centres not in (*_HALF, "asymmetric", "align_corners"):
            raise importer.refusal(node, f"coordinates {centres!r}")
        code = "RESIZE_BILINEAR"
        options = {"alignCorners": centres == "align_corners", "halfPixelCenters": centres in _HALF}
    else:
        raise importer.refusal(node, f"mode {mode!r}", "use nearest or linear")
    tensor = importer.mover.get(value, NHWC)
    sizes = importer.writer.indices(f"{importer.name(node)}/sizes", list(after))
    result = output(importer, node.output[0], shape, value.quant)
    importer.writer.operator(code, [tensor, sizes], [result], **options)


def _nearest(
    importer: Importer, node: Any, before: tuple[int, ...], after: tuple[int, ...], centres: str, rounding: str
) -> dict[str, bool]:
    """The options with which TFLite picks the same elements as the node does."""
    wanted = [[_onnx_place(k, b, a, centres, rounding) for k in range(a)] for b, a in zip(before, after, strict=True)]
    for align, half in ((False, False), (False, True), (True, False)):
        if [
            [_tflite_place(k, b, a, align, half) for k in range(a)] for b, a in zip(before, after, strict=True)
        ] == wanted:
            return {"alignCorners": align, "halfPixelCenters": half}
    raise importer.refusal(
        node, f"TFLite does not pick the elements of coordinates {centres!r}, {rounding!r} for {before} to {after}",
        "resize by a whole factor",
    )  # fmt: skip


def _onnx_place(k: int, before: int, after: int, centres: str, rounding: str) -> int:
    """Which element output `k` is, as ONNX defines it for Resize."""
    scale = after / before
    if centres in _HALF:
        at = (k + 0.5) / scale - 0.5 if after > 1 or centres != "pytorch_half_pixel" else 0.0
    elif centres == "align_corners":
        at = k * (before - 1) / (after - 1) if after > 1 else 0.0
    else:
        at = k / scale
    rounded = {
        "floor": math.floor(at),
        "ceil": math.ceil(at),
        "round_prefer_floor": math.ceil(at - 0.5),
        "round_prefer_ceil": math.floor(at + 0.5),
    }.get(rounding, -1)
    return min(max(rounded, 0), before - 1)


def _tflite_place(k: int, before: int, after: int, align: bool, half: bool) -> int:
    """Which element output `k` is, as LiteRT's RESIZE_NEAREST_NEIGHBOR has it."""
    scale = (before - 1) / (after - 1) if align and after > 1 else before / after
    at = (k + (0.5 if half else 0.0)) * scale
    place = math.floor(at + 0.5) if align else math.floor(at)
    return max(min(place, before - 1), 0)
