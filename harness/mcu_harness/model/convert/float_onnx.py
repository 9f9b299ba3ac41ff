"""Float ONNX to ONNX with QuantizeLinear and DequantizeLinear, by onnxruntime's static quantiser. For workers.

Symmetric int8 weights, a scale a channel, int8 activations: what Cortex-M kernels compute. Sessions run with all
optimisation off, since onnxruntime's fused integer kernels saturate on some CPUs and then calibrate something else.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper, version_converter
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from mcu_harness.model.convert.qdq.importer import HANDLERS
from mcu_harness.model.convert.qdq.reader import inferred
from mcu_harness.model.convert.refusal import Refusal, first_line

_OPSET = 17  # quantised per channel from 13 on; 17 is what the quantiser is most used with
_METHODS = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}
_SMALLEST_RANGE = 1e-4  # of a tensor that was always the same


def prepared(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """`model` with constants computed and batch normalisation taken into convolutions; raises Refusal."""
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), _OPSET)
    if opset < _OPSET:
        try:
            model = version_converter.convert_version(model, _OPSET)
        except (RuntimeError, ValueError) as error:
            raise Refusal(
                f"opset {opset} cannot be brought to {_OPSET}: {first_line(error)}", f"export with opset {_OPSET}"
            ) from error
    given, simpler = folder / "given.onnx", folder / "simpler.onnx"
    onnx.save(model, str(given))
    options = _quiet_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(simpler)
    session(given, options)
    model = onnx.load_model(str(simpler))
    nodes = [made for node in model.graph.node for made in _simpler(node, model)]
    nodes = _with_hard_swish(nodes, model)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _name_nodes(model)
    return inferred(model)


def session(path: Path, options: Any = None) -> Any:
    """An onnxruntime session on the CPU, unoptimised unless `options` say otherwise; raises Refusal."""
    if options is None:
        options = _quiet_options()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Refusal(f"onnxruntime refuses the model: {first_line(error)}", "export the model again") from error


def quantised(
    model: onnx.ModelProto, samples: Sequence[npt.NDArray[np.float32]], folder: Path, *, method: str, per_channel: bool
) -> onnx.ModelProto:
    """`model` in QDQ form, with ranges from `samples`, (count, *shape) for each input; raises Refusal."""
    path, result = folder / "float.onnx", folder / "qdq.onnx"
    onnx.save(model, str(path))
    constants = {constant.name for constant in model.graph.initializer}
    names = [tensor.name for tensor in model.graph.input if tensor.name not in constants]
    logging.getLogger().setLevel(logging.ERROR)
    try:
        quantize_static(
            str(path),
            str(result),
            _Samples(names, samples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted(HANDLERS),
            per_channel=per_channel,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=_METHODS[method],
            extra_options={"WeightSymmetric": True, "ActivationSymmetric": False, "MinimumRealRange": _SMALLEST_RANGE},
        )
    except Exception as error:
        raise Refusal(f"onnxruntime cannot quantise the model: {first_line(error)}") from error
    return inferred(onnx.load_model(str(result)))


def ranges(
    model: onnx.ModelProto, samples: Sequence[npt.NDArray[np.float32]], folder: Path
) -> dict[str, tuple[float, float]]:
    """(lowest, highest) of every float value that a node other than DequantizeLinear computes, on `samples`."""
    floats = {v.name for v in model.graph.value_info if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    outputs = [tensor.name for tensor in model.graph.output]
    made = [name for node in model.graph.node if node.op_type != "DequantizeLinear" for name in node.output]
    names = [name for name in made if name in floats or name in outputs]
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    seen.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    onnx.save(seen, str(folder / "seen.onnx"))
    running = session(folder / "seen.onnx")
    fed = [tensor.name for tensor in running.get_inputs()]
    found: dict[str, tuple[float, float]] = {}
    for sample in zip(*samples, strict=True):
        values = running.run(names, dict(zip(fed, sample, strict=True)))
        for name, value in zip(names, values, strict=True):
            low, high = found.get(name, (0.0, 0.0))
            found[name] = min(low, float(value.min())), max(high, float(value.max()))
    return found


class _Samples(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, names: Sequence[str], samples: Sequence[npt.NDArray[np.float32]]) -> None:
        self._feeds: Iterator[dict[str, Any]] = (
            dict(zip(names, sample, strict=True)) for sample in zip(*samples, strict=True)
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)


def _quiet_options() -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


def _simpler(node: Any, model: onnx.ModelProto) -> list[Any]:
    """A batch normalisation that stands alone as Mul and Add; other nodes as they are."""
    if node.op_type != "BatchNormalization":
        return [node]
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    if any(name not in constants for name in node.input[1:5]):
        return [node]
    scale, offset, mean, variance = (
        numpy_helper.to_array(constants[name]).astype(np.float64) for name in node.input[1:5]
    )
    epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
    rank = _rank(node.input[0], model)
    factor = scale / np.sqrt(variance + epsilon)
    shape = (-1, *(1,) * (rank - 2))
    name = node.name or node.output[0]
    made = {f"{name}/factor": factor, f"{name}/offset": offset - mean * factor}
    for constant, values in made.items():
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32).reshape(shape), constant))
    between = f"{name}/scaled"
    return [
        helper.make_node("Mul", [node.input[0], f"{name}/factor"], [between], name=f"{name}/mul"),
        helper.make_node("Add", [between, f"{name}/offset"], [node.output[0]], name=f"{name}/add"),
    ]


def _with_hard_swish(nodes: list[Any], model: onnx.ModelProto) -> list[Any]:
    """x * HardSigmoid(x), into which onnxruntime divides HardSwish, as HardSwish: one layer with one rounding."""
    outputs = {tensor.name for tensor in model.graph.output}
    readers: defaultdict[str, int] = defaultdict(int)
    for node in nodes:
        for name in node.input:
            readers[name] += 1
    gates = {}
    for node in nodes:
        attributes = {attribute.name: attribute.f for attribute in node.attribute}
        sixth = abs(attributes.get("alpha", 0.2) - 1 / 6) < 1e-6 and attributes.get("beta", 0.5) == 0.5
        if node.op_type == "HardSigmoid" and sixth and readers[node.output[0]] == 1 and node.output[0] not in outputs:
            gates[node.output[0]] = node
    result, taken = [], set()
    for node in nodes:
        gate = next((gates[name] for name in node.input if name in gates), None) if node.op_type == "Mul" else None
        if gate is not None and sorted(node.input) == sorted((gate.input[0], gate.output[0])):
            taken.add(gate.output[0])
            node = helper.make_node("HardSwish", [gate.input[0]], node.output, name=node.name)
        result.append(node)
    return [node for node in result if node.output[0] not in taken]


def _rank(name: str, model: onnx.ModelProto) -> int:
    values = (*model.graph.value_info, *model.graph.input)
    return next((len(v.type.tensor_type.shape.dim) for v in values if v.name == name), 4)


def _name_nodes(model: onnx.ModelProto) -> None:
    """The quantiser wants a name for every node."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
