"""An int8 .tflite as a float one: what its numbers stand for, computed in float32. For workers.

From it LiteRT's quantiser makes a model with other numbers (16x8). What an int8 tensor clips by its range alone, since a converter
left the ReLU before it out, is clipped by a ReLU here.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mcu_harness.model.convert.refusal import Refusal
from mcu_harness.model.convert.tflite_file import TfliteFile

_STORED = (schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16, schema.TensorType.INT4)
_LOWEST = {schema.TensorType.INT8: -128, schema.TensorType.UINT8: 0}
# Where the bias is, whose scale is that of the data times those of the filters; data and filters by operator.
_BIASED = {"CONV_2D": (2, 0), "DEPTHWISE_CONV_2D": (2, 0), "FULLY_CONNECTED": (2, 0), "TRANSPOSE_CONV": (3, 2)}
_STATEFUL = frozenset(("UNIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", "SVDF", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"))
_NONE, _RELU, _RELU6 = 0, 1, 3


def dequantised(content: bytes) -> bytes:
    """The float model of the int8 model `content`, with the same names of tensors; raises Refusal."""
    file = TfliteFile(content)
    graph = file.graph
    for operator in graph.operators:
        if (kind := file.kind(operator)) in _STATEFUL:
            raise Refusal(
                f"{kind} keeps a state in int8, which has no float form here",
                "give the float model that it was made from",
            )
    lows = [_low(file, index) for index in range(len(file.tensors))]
    highs = [_high(file, index) for index in range(len(file.tensors))]
    _biases(file)
    same: dict[int, int] = {}  # behind a QUANTIZE or DEQUANTIZE lies what was before it
    kept = []
    for operator in graph.operators:
        operator.inputs = np.array([same.get(int(index), int(index)) for index in operator.inputs], np.int32)
        made, options = int(operator.outputs[0]), operator.builtinOptions
        clips = lows[made] == 0
        function = _RELU6 if clips and abs(highs[made] - 6) < 0.02 else _RELU
        if file.kind(operator) in ("QUANTIZE", "DEQUANTIZE"):
            before = int(operator.inputs[0])
            if not clips or lows[before] == 0:
                same[made] = before
                continue
            operator.opcodeIndex = file.code("RELU6" if function == _RELU6 else "RELU", 1)
            operator.builtinOptions, operator.builtinOptionsType = None, 0
        elif clips and getattr(options, "fusedActivationFunction", None) == _NONE:
            options.fusedActivationFunction = function
        kept.append(operator)
    graph.operators = kept
    graph.outputs = np.array([same.get(int(index), int(index)) for index in graph.outputs], np.int32)
    for index, tensor in enumerate(file.tensors):
        scales = file.scales(index)
        if tensor.type not in _STORED or scales is None:
            continue
        values = file.constant(index)
        if values is not None:
            real = (values.astype(np.float64) - file.zero_points(index)) * scales
            file.set_constant(tensor, real.astype(np.float32))
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    return file.build()


def _low(file: TfliteFile, index: int) -> float:
    """The least real value that the activation `index` can hold; NaN where it is no int8 activation."""
    tensor, scales = file.tensors[index], file.scales(index)
    if scales is None or tensor.type not in _LOWEST:
        return float("nan")
    return float((_LOWEST[tensor.type] - file.zero_points(index).reshape(-1)[0]) * scales.reshape(-1)[0])


def _high(file: TfliteFile, index: int) -> float:
    scales = file.scales(index)
    return float("nan") if scales is None else _low(file, index) + 255 * float(scales.reshape(-1)[0])


def _biases(file: TfliteFile) -> None:
    for operator in file.graph.operators:
        bias, data = _BIASED.get(file.kind(operator), (len(operator.inputs), 0))
        if bias >= len(operator.inputs) or operator.inputs[bias] < 0:
            continue
        tensor, values = file.tensors[operator.inputs[bias]], file.constant(operator.inputs[bias])
        of_data, of_filters = file.scales(operator.inputs[data]), file.scales(operator.inputs[1])
        if values is None or values.dtype.kind != "i" or of_data is None or of_filters is None:
            continue
        real = values.astype(np.float64) * of_data.reshape(-1)[0] * of_filters.reshape(-1)
        file.set_constant(tensor, real.astype(np.float32))
        tensor.quantization = None
