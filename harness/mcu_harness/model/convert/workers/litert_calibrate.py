"""Float .tflite to int8 with the quantiser inside LiteRT's own wheel: the one that TensorFlow's converter calls.

Request: model, output, calibration, count, method, per_channel. The quantiser has a private name in the wheel
(`_pywrap_...`); what it is asked is what TensorFlow 2.x's `lite/python/optimize/calibrator.py` asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.calibration import samples


def convert(request: dict[str, Any]) -> dict[str, Any]:
    try:
        from ai_edge_litert._pywrap_tensorflow_lite_calibration_wrapper import CalibrationWrapper
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise Refusal(
            f"this ai-edge-litert has no quantiser: {first_line(error)}", hint='pip install "ai-edge-litert>=2.3,<3"'
        ) from error
    if request["method"] != "minmax":
        raise Refusal(
            f"method {request['method']!r} is for ONNX and PyTorch models; LiteRT's quantiser has minmax alone",
            hint='leave `method` out, or say "minmax"',
        )
    model = Path(request["model"]).read_bytes()
    try:
        interpreter = Interpreter(model_content=model)
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        tensors = interpreter.get_tensor_details()
    except (ValueError, RuntimeError) as error:
        raise Refusal(f"LiteRT refuses the model: {first_line(error)}", hint="convert the model again") from error
    for detail in (*inputs, *outputs):
        if detail["dtype"] != np.float32:
            raise Refusal(f"{_label(detail)} is {np.dtype(detail['dtype']).name}, expected float32")
    given = samples(request, [(d["name"], _shape(d)) for d in inputs])
    try:
        quantiser = CalibrationWrapper(model, [], [])
        quantiser.Prepare([list(_shape(detail)) for detail in inputs])
        for sample in zip(*given, strict=True):
            quantiser.FeedTensor([np.ascontiguousarray(array) for array in sample])
        int8, int32 = np.dtype(np.int8).num, np.dtype(np.int32).num
        per_tensor = not request["per_channel"]
        quantised = quantiser.QuantizeModel(int8, int8, False, int8, int32, per_tensor, per_tensor)
    except (ValueError, RuntimeError) as error:
        raise Refusal(
            f"LiteRT cannot quantise the model: {first_line(error)}",
            hint="the operator it names has no int8 form: replace it in the model",
        ) from error
    Path(request["output"]).write_bytes(quantised)
    return {
        "notes": [],
        "original_is": "the float model, in LiteRT",
        "inputs": [(d["name"], _shape(d), ()) for d in inputs],
        "outputs": [(d["name"], _shape(d), ()) for d in outputs],
        "tensors": {d["name"]: (d["name"], _shape(d), ()) for d in tensors if d["dtype"] == np.float32 and d["name"]},
    }


def _shape(detail: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in detail["shape"])


def _label(detail: dict[str, Any]) -> str:
    return f"tensor {detail['index']} {detail['name'][:60]!a}"


if __name__ == "__main__":
    answer(convert)
