"""TFLite_Detection_PostProcess: what every byte of an encoding and of a score stands for is computed here, in double and float as LiteRT does."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.c_text import floating
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, number
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.detection import DETECTION, anchors_of

_KERNEL = Kernel("mcu_detection_postprocess_s8", "portable/detection_postprocess_s8.c", "mcu_detection_postprocess.h")
_NONE_COUNTS = 128  # more than any int8
_BYTES = np.arange(-128, 128)


def scratch_bytes(boxes: int, detections: int, of_a_class: int) -> int:
    """What the kernel lays out: four corners, an order, a score and a mark a box; 8 bytes for everything found, 2 for a selection."""
    return 16 * boxes + 8 * (detections + of_a_class) + 2 * (256 + boxes + detections) + 2 * boxes


def emit(layer: Layer, context: Context) -> LayerCode:
    encodings, predictions = (context.tensor(index) for index in layer.inputs[:2])
    detections, classes = int(number(layer, "max_detections")), int(number(layer, "num_classes"))
    regular = bool(layer.attributes["use_regular_nms"])
    of_a_class = min(int(number(layer, "detections_per_class")), detections) if regular else 0
    reals = _reals(affine(layer, encodings).scale, affine(layer, encodings).zero_point).astype(np.float64)
    scale = {letter: float(np.float32(number(layer, f"{letter}_scale"))) for letter in "yxhw"}
    scores = _reals(affine(layer, predictions).scale, affine(layer, predictions).zero_point)
    enough = np.flatnonzero(scores >= np.float32(number(layer, "nms_score_threshold")))
    tables: dict[str, npt.NDArray[np.generic]] = {"anchors": anchors_of(Operation.of(context.graph, layer))}
    for letter in "yx":
        tables[letter] = reals / scale[letter]
    for letter in "hw":
        tables[f"half_{letter}"] = np.array([0.5 * math.exp(real / scale[letter]) for real in reals.tolist()])
    tables["scores"] = scores
    names: dict[str, str] = {}
    constants: list[Constant] = []
    for name, values in tables.items():
        same = next((each for each in constants if np.array_equal(each.data, values)), None)
        if same is None:
            constants.append(Constant(name, values, 8 if values.dtype == np.float64 else 4))
        names[name] = context.name(name if same is None else same.suffix)
    members = {
        **names,
        "boxes": f"{encodings.shape[1]}u",
        "box_step": f"{encodings.shape[2]}u",
        "columns": f"{predictions.shape[2]}u",
        "classes": f"{classes}u",
        "detections": f"{detections}u",
        "of_a_class": f"{of_a_class}u",
        "least": str(int(_BYTES[enough[0]]) if enough.size else _NONE_COUNTS),
        "overlap": floating(number(layer, "nms_iou_threshold")),
    }
    pointers = ", ".join(context.write(index) for index in (layer.outputs[0], *layer.outputs[1:]))
    arguments = f"{pointers}, {context.read(layer.inputs[0])}, {context.read(layer.inputs[1])}, &{context.name('parameters')}, {context.scratch}"
    return LayerCode(
        body=(f"{_KERNEL.function}({arguments});",),
        kernels=(_KERNEL,),
        constants=tuple(constants),
        structs=(Struct("struct mcu_detection_postprocess", "parameters", tuple(members.items())),),
        scratch_bytes=scratch_bytes(encodings.shape[1], detections, of_a_class),
    )


def _reals(scale: float, zero_point: int) -> npt.NDArray[np.float32]:
    """What the bytes stand for, rounded to float32 once."""
    return ((_BYTES - zero_point) * float(np.float32(scale))).astype(np.float32)


EMITTERS = {
    DETECTION: emit,
}
