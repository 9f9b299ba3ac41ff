"""A float .tflite to float ONNX, by tf2onnx. Request: model, output."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.tflite_file import TfliteFile
from mcu_harness.model.convert.workers.answering import answer

_OPSET = 17


def convert(request: dict[str, Any]) -> dict[str, Any]:
    file = TfliteFile(Path(request["model"]).read_bytes())
    for tensor in file.tensors:
        tensor.shapeSignature = None  # a free batch is 1, so that shapes are constants
    import tf2onnx

    with tempfile.TemporaryDirectory(dir=Path(request["output"]).parent) as folder:
        fixed = Path(folder) / "fixed.tflite"
        fixed.write_bytes(file.build())
        try:
            tf2onnx.convert.from_tflite(str(fixed), opset=_OPSET, output_path=request["output"])
        except Exception as error:
            raise Refusal(
                f"tf2onnx cannot convert the model: {first_line(error)}",
                "give the model as ONNX, or as a PyTorch program",
            ) from error
    return {}


if __name__ == "__main__":
    answer(convert)
