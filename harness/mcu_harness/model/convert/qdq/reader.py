"""Reads an ONNX file without trusting it, and gives it static shapes with a batch of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import shape_inference

from mcu_harness.model.convert.refusal import Refusal, first_line
from mcu_harness.model.convert.weights_beside import WEIGHTS_BESIDE

MAX_BYTES = 1 << 28
MAX_NODES = 20_000
_QDQ_ONLY = ("QuantizeLinear", "DequantizeLinear")
# What quantisers for other runtimes write in place of QuantizeLinear, Conv, DequantizeLinear.
_QOPERATORS = ("QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear")


def read(path: Path) -> onnx.ModelProto:
    """The model in `path`, with its weights, checked and with inferred shapes; raises Refusal."""
    if path.stat().st_size > MAX_BYTES:
        raise Refusal(f"{path.stat().st_size} bytes, at most {MAX_BYTES} are read")
    try:
        model = onnx.load_model(path, load_external_data=False)
    except (DecodeError, ValueError, TypeError, RecursionError) as error:
        raise Refusal(f"not an ONNX file, or a damaged one: {first_line(error)}", "export the model again") from error
    if not model.HasField("graph") or not model.graph.node:
        raise Refusal("not an ONNX file, or one without nodes", "export the model again")
    if len(model.graph.node) > MAX_NODES:
        raise Refusal(f"{len(model.graph.node)} nodes, at most {MAX_NODES} are read")
    _load_weights(model, path)
    return inferred(model)


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with a batch of one and the shape of every tensor; raises Refusal."""
    for node in model.graph.node:
        if node.op_type in _QOPERATORS:
            raise Refusal(
                f"node {label(node)}: {node.op_type} is of the QOperator format",
                "quantise in the QDQ format (QuantFormat.QDQ of onnxruntime), or give the float model with --calibration",
            )
        if node.domain == "com.microsoft" and node.op_type in _QDQ_ONLY:
            node.domain = ""
    constants = {constant.name for constant in model.graph.initializer}
    for tensor in model.graph.input:
        if tensor.name not in constants:
            _static(tensor)
    for tensor in model.graph.output:  # inferred anew, from the batch that was chosen
        tensor.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    try:
        model = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, shape_inference.InferenceError, ValueError, RuntimeError) as error:
        raise Refusal(f"the ONNX model is not valid: {first_line(error)}", "export the model again") from error
    return model


def is_quantised(model: onnx.ModelProto) -> bool:
    """Whether it has activations that were quantised, and not weights alone."""
    return any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def label(node: Any) -> str:
    """How messages call a node: by its name, else by what it writes."""
    name = node.name or (node.output[0] if node.output else "")
    return repr("".join(c if c.isprintable() else "?" for c in name)[:80])


def _static(tensor: Any) -> None:
    """Give the input `tensor` a batch of one; other sizes that are not known are an error."""
    if tensor.type.WhichOneof("value") != "tensor_type" or not tensor.type.tensor_type.HasField("shape"):
        raise Refusal(f"input {tensor.name[:80]!r} has no shape", "export the model with static shapes")
    for number, dimension in enumerate(tensor.type.tensor_type.shape.dim):
        if dimension.WhichOneof("value") == "dim_value" and dimension.dim_value > 0:
            continue
        if number:
            raise Refusal(
                f"input {tensor.name[:80]!r}: dimension {number} ({dimension.dim_param or 'unknown'}) has no fixed size",
                "export the model with static shapes; only the batch may be free, and becomes 1",
            )
        dimension.dim_value = 1


def _load_weights(model: onnx.ModelProto, path: Path) -> None:
    """Bring in weights that lie beside `path`: in its own weights file and in no other place."""
    beside = [path.name + ending for ending in WEIGHTS_BESIDE]
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        if location not in beside:
            raise Refusal(
                f"the weights {tensor.name[:60]!r} lie in the file {location[:80]!r}",
                f"keep them in {path.name}.data, or in the model: onnx.save(onnx.load(path), other_path)",
            )
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise Refusal(f"the weights beside the model cannot be read: {first_line(error)}") from error
