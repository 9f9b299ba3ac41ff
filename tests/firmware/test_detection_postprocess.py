"""TFLite_Detection_PostProcess: boxes, classes and scores are LiteRT's, bit for bit, fast and regular, from uint8 and from floats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flatbuffers import flexbuffers

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.flatbuffer import Damaged
from mcu_harness.model.flexbuffer import numbers_of
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder

OPTIONS = {
    "max_detections": 6, "max_classes_per_detection": 1, "detections_per_class": 4, "use_regular_nms": False,
    "nms_score_threshold": 0.3, "nms_iou_threshold": 0.4, "num_classes": 3,
    "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 4.0,
}  # fmt: skip


def packed(options: dict[str, object]) -> bytes:
    """As TensorFlow's export writes them."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, value in options.items():
            builder.Key(name)
            {bool: builder.Bool, int: builder.Int, float: builder.Float}[type(value)](value)
    return bytes(builder.Finish())


def model(
    kind: str, *, boxes: int = 40, columns: int = 4, float_inputs: bool = False, **options: object
) -> ModelBuilder:
    """Boxes around anchors that overlap; `kind` is the type of the bytes, which are dequantised first with `float_inputs`."""
    b, rng, offset = ModelBuilder(1), np.random.default_rng(3), 128 if kind == "uint8" else 0
    encodings = b.input((1, boxes, 4), 0.08, offset - 3, dtype=kind)
    scores = b.input((1, boxes, columns), 1 / 256, offset - 128, dtype=kind)
    anchors = rng.uniform(0.05, 0.9, (boxes, 4)).astype(np.float32)
    if float_inputs:
        given = [b.dequantize(encodings), b.dequantize(scores), b.constant(anchors)]
    else:
        as_bytes = np.round(anchors / np.float32(0.004)).clip(0, 250).astype(np.uint8)
        given = [encodings, scores, b.constant(as_bytes, 0.004, 5)]
        b.tensors[given[2]].data = np.maximum(as_bytes, 5)
    shapes = [(), (), (), ()]  # what converters write: LiteRT sets them
    outputs = [b.tensor(shape, None, dtype="float32") for shape in shapes]
    b.operator("TFLite_Detection_PostProcess", given, outputs, custom_options=packed({**OPTIONS, **options}))
    b.output(*outputs)
    return b


@pytest.mark.parametrize("regular", [False, True])
@pytest.mark.parametrize(("kind", "float_inputs"), [("uint8", False), ("uint8", True), ("int8", True)])
def test_detections_are_litert_s(regular: bool, kind: str, float_inputs: bool, tmp_path: Path) -> None:
    builder = model(kind, float_inputs=float_inputs, use_regular_nms=regular)
    graph = check_against_reference(builder, tmp_path, samples=8)
    assert [graph.tensors[index].shape for index in graph.outputs] == [(1, 6, 4), (1, 6), (1, 6), (1,)]
    assert "DEQUANTIZE" not in {layer.operator for layer in graph.layers}


@pytest.mark.parametrize(
    "options",
    [
        {"nms_score_threshold": 0.995},  # hardly a candidate
        {"nms_score_threshold": 0.0, "nms_iou_threshold": 1.0, "max_detections": 60, "detections_per_class": 100},
        {"num_classes": 4, "nms_iou_threshold": 0.01},  # no background
    ],
)
@pytest.mark.parametrize("regular", [False, True])
def test_ends_of_the_options(options: dict[str, object], regular: bool, tmp_path: Path) -> None:
    check_against_reference(model("uint8", use_regular_nms=regular, **options), tmp_path, samples=6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_classes_per_detection": 2}, "the order of equal scores is not defined"),
        ({"nms_iou_threshold": 0.0}, "nms_iou_threshold is 0"),
        ({"h_scale": 0.0}, "scales of the box coordinates"),
        ({"h_scale": 0.1}, "decoded boxes overflow"),
        ({"num_classes": 9}, "for 9 classes"),
        ({"max_detections": 0}, "0 detections of 40 boxes"),
    ],
)
def test_what_is_not_computed_is_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        import_tflite(model("uint8", **options).write(tmp_path / "m.tflite"))


def test_options_are_read_as_written_and_damage_is_said_to_be() -> None:
    wide = {"a": 70000, "b": -3, "c": 0.1, "d": True, "e": 2**40}
    assert numbers_of(packed(wide)) == {**wide, "d": 1.0, "c": pytest.approx(0.1)}
    content = packed(OPTIONS)
    for end in range(len(content)):
        with pytest.raises(Damaged):
            numbers_of(content[:end] + b"\xff" * 3)
