"""Float .tflite to int8 with the quantiser inside LiteRT's own wheel: the one that TensorFlow's converter calls.

Request: model, output, calibration, count, method, per_channel; and, where samples lie otherwise than in the model, `layouts`, a
(name, shape, order) each as in `Layout`. The quantiser has a private name in the wheel
(`_pywrap_...`); what it is asked is what TensorFlow 2.x's `lite/python/optimize/calibrator.py` asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.calibration import sample_notes, samples
from mcu_harness.model.layout import Layout

# Of activations and biases; filters are int8 in each.
NUMBERS: dict[str, tuple[npt.DTypeLike, npt.DTypeLike]] = {"int8": (np.int8, np.int32), "16x8": (np.int16, np.int64)}


def convert(request: dict[str, Any]) -> dict[str, Any]:
    model = Path(request["model"]).read_bytes()
    content, notes = quantised(model, request, "int8")
    Path(request["output"]).write_bytes(content)
    return {"notes": notes, "original_is": "the float model, in LiteRT", **described(model)}


def described(model: bytes) -> dict[str, Any]:
    """Inputs, outputs and tensors of the float .tflite `model`, as a `Conversion` has them; raises Refusal."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        litert = Interpreter(model_content=model)
        inputs, outputs, tensors = litert.get_input_details(), litert.get_output_details(), litert.get_tensor_details()
    except (ValueError, RuntimeError) as error:
        raise Refusal(f"LiteRT refuses the model: {first_line(error)}", hint="convert the model again") from error
    for detail in (*inputs, *outputs):
        if detail["dtype"] != np.float32:
            raise Refusal(f"{_label(detail)} is {np.dtype(detail['dtype']).name}, expected float32")
    return {
        "inputs": [(d["name"], _shape(d), ()) for d in inputs],
        "outputs": [(d["name"], _shape(d), ()) for d in outputs],
        "tensors": {d["name"]: (d["name"], _shape(d), ()) for d in tensors if d["dtype"] == np.float32 and d["name"]},
    }


def quantised(model: bytes, request: dict[str, Any], numbers: str) -> tuple[bytes, list[str]]:
    """The float .tflite `model` with `numbers` of NUMBERS, calibrated as `request` says, and notes on the samples.

    Raises Refusal.
    """
    try:
        from ai_edge_litert._pywrap_tensorflow_lite_calibration_wrapper import CalibrationWrapper
    except ImportError as error:
        raise Refusal(
            f"this ai-edge-litert has no quantiser: {first_line(error)}", hint='pip install "ai-edge-litert>=2.3,<3"'
        ) from error
    if request["method"] != "minmax":
        raise Refusal(
            f"method {request['method']!r} is for int8 of ONNX and PyTorch models; LiteRT's quantiser has minmax alone",
            hint='leave `method` out, or say "minmax"',
        )
    inputs = [(name, shape) for name, shape, _ in described(model)["inputs"]]
    given = _samples(request, inputs)
    activations, biases = (np.dtype(kind).num for kind in NUMBERS[numbers])
    try:
        quantiser = CalibrationWrapper(model, [], [])
        quantiser.Prepare([list(shape) for _, shape in inputs])
        for sample in zip(*given, strict=True):
            quantiser.FeedTensor([np.ascontiguousarray(array) for array in sample])
        per_tensor = not request["per_channel"]
        content: bytes = quantiser.QuantizeModel(
            activations, activations, False, activations, biases, per_tensor, per_tensor
        )
    except (ValueError, RuntimeError) as error:
        raise Refusal(
            f"LiteRT cannot quantise the model to {numbers}: {first_line(error)}",
            hint=f"the operator it names has no {numbers} form: replace it in the model",
        ) from error
    return content, sample_notes(given, inputs)


def _samples(request: dict[str, Any], inputs: list[tuple[str, tuple[int, ...]]]) -> list[npt.NDArray[np.generic]]:
    if not request.get("layouts"):
        return list(samples(request, inputs))
    layouts = [Layout(name, tuple(shape), tuple(order)) for name, shape, order in request["layouts"]]
    given = samples(request, [(layout.name, layout.shape) for layout in layouts])
    moved = [layout.moved(array) for layout, array in zip(layouts, given, strict=True)]
    return [array.reshape(-1, *shape) for array, (_, shape) in zip(moved, inputs, strict=True)]


def _shape(detail: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in detail["shape"])


def _label(detail: dict[str, Any]) -> str:
    return f"tensor {detail['index']} {detail['name'][:60]!a}"


if __name__ == "__main__":
    answer(convert)
