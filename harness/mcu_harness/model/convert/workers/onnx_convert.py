"""ONNX, float or QDQ, to int8 .tflite. Request: model, output, original, calibration, count, method, per_channel."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx

from mcu_harness.model.convert.float_onnx import prepared, quantised, ranges
from mcu_harness.model.convert.qdq import operators
from mcu_harness.model.convert.qdq.importer import Importer
from mcu_harness.model.convert.qdq.reader import is_quantised, read
from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.calibration import sample_notes, samples

assert operators.__all__  # importing them registers their handlers


def convert(request: dict[str, Any]) -> dict[str, Any]:
    model = read(Path(request["model"]))
    told: dict[str, Any] = {"original_is": "the QDQ model, in onnxruntime without optimisation"}
    with tempfile.TemporaryDirectory(dir=Path(request["output"]).parent) as folder:
        if not is_quantised(model):
            told["original_is"] = "the float model, in onnxruntime"
            inputs = model_inputs(model)
            given = samples(request, inputs)
            model = prepared(model, Path(folder))
            onnx.save(model, request["original"])
            options = {key: request[key] for key in ("method", "per_channel")}
            importer = Importer(quantised(model, given, Path(folder), **options))
            importer.notes += sample_notes(given, inputs)
        else:
            onnx.save(model, request["original"])
            given = samples(request, model_inputs(model)) if request["calibration"] else ()
            importer = Importer(model, ranges(model, given, Path(folder)) if given else None)
            if given:
                importer.notes.append(
                    "quantised already: the samples are used for what the model leaves in float alone"
                )
        content, facts = importer.convert()
    Path(request["output"]).write_bytes(content)
    return facts | told


def model_inputs(model: onnx.ModelProto) -> list[tuple[str, tuple[int, ...]]]:
    constants = {constant.name for constant in model.graph.initializer}
    return [
        (tensor.name, tuple(dimension.dim_value for dimension in tensor.type.tensor_type.shape.dim))
        for tensor in model.graph.input
        if tensor.name not in constants
    ]


if __name__ == "__main__":
    answer(convert)
