"""An ONNX graph made ready to walk: constants computed, nodes in order, who writes and reads what."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from mcu_harness.model.convert.qdq.reader import label
from mcu_harness.model.convert.qdq.values import QuantConstant
from mcu_harness.model.convert.refusal import Refusal

Array = npt.NDArray[Any]
_MOST_ELEMENTS = 1 << 26  # of a constant that is computed here
_NEVER_FOLDED = ("QuantizeLinear", "DequantizeLinear", "RandomNormal", "RandomUniform", "Loop", "If", "Scan")


class Network:
    """`nodes` are those left to be computed on the target. Names are those of ONNX values.

    `constants` are float and integer arrays, `quantised` integer constants with their scales, by the name of the value.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)
        self.shapes = {v.name: _shape(v) for v in (*graph.value_info, *graph.input, *graph.output)}
        self.constants: dict[str, Array] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.quantised: dict[str, QuantConstant] = {}
        self.inputs = [v.name for v in graph.input if v.name not in self.constants]
        self.outputs = [v.name for v in graph.output]
        self.nodes = [node for node in graph.node if not self._is_constant(node)]
        self.producers = {name: node for node in self.nodes for name in node.output if name}
        self.consumers: defaultdict[str, list[Any]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.consumers[name].append(node)

    def shape(self, name: str) -> tuple[int, ...]:
        """The static shape of a value; raises Refusal."""
        shape = self.shapes.get(name)
        if shape is None or any(size is None or size < 0 for size in shape):
            raise Refusal(f"value {name[:80]!r}: its shape is not known", "export the model with static shapes")
        return tuple(size or 0 for size in shape)

    def attribute(self, node: Any, name: str, default: Any = None) -> Any:
        for attribute in node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        return default

    def whole(self, node: Any, place: int, attribute: str = "") -> list[int] | None:
        """Whole numbers of a constant input, or of the attribute that older versions have; None without either."""
        if len(node.input) > place and node.input[place]:
            found = self.constants.get(node.input[place])
            if found is None:
                raise Refusal(f"node {label(node)} ({node.op_type}): input {place} is computed, expected a constant")
            return [int(value) for value in np.atleast_1d(found).reshape(-1)]
        value = self.attribute(node, attribute) if attribute else None
        return None if value is None else [int(x) for x in np.atleast_1d(value)]

    def _is_constant(self, node: Any) -> bool:
        """Whether all that the node writes is known before any input is; then it is computed now."""
        if node.op_type == "Constant":
            self.constants[node.output[0]] = _value_of_constant(node)
            return True
        if node.op_type == "Shape" and (shape := self.shapes.get(node.input[0])) and None not in shape:
            first, last = self.attribute(node, "start", 0), self.attribute(node, "end", None)
            self.constants[node.output[0]] = np.array(shape[first:last], np.int64)
            return True
        inputs = [name for name in node.input if name]
        if node.op_type == "DequantizeLinear" and inputs[0] in self.constants:
            self.quantised[node.output[0]] = self._quantised(node)
            return True
        if inputs and inputs[0] in self.quantised and all(name in self.constants for name in inputs[1:]):
            return self._moved(node, self.quantised[inputs[0]])
        if not inputs or not all(name in self.constants for name in inputs) or node.op_type in _NEVER_FOLDED:
            return False
        if node.op_type in ("Loop", "If", "Scan") or any(not self._is_small(name) for name in node.output):
            return False
        return self._fold(node)

    def _is_small(self, name: str) -> bool:
        shape = self.shapes.get(name)
        return shape is None or None in shape or math.prod(size or 0 for size in shape) <= _MOST_ELEMENTS

    def _fold(self, node: Any) -> bool:
        feeds = {name: self.constants[name] for name in node.input if name}
        inputs = [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in feeds.items()
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        graph = helper.make_graph([node], "one", inputs, outputs)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        try:
            found = ReferenceEvaluator(model).run(None, feeds)
        except Exception:
            return False
        self.constants.update(zip([name for name in node.output if name], map(np.asarray, found), strict=True))
        return True

    def _quantised(self, node: Any) -> QuantConstant:
        values = self.constants[node.input[0]]
        scales, points = self.parameters(node)
        axis = int(self.attribute(node, "axis", 1))
        axis += values.ndim if axis < 0 else 0
        if self.attribute(node, "block_size", 0):
            raise Refusal(f"node {label(node)}: weights are quantised in blocks", "use a scale a channel, or a tensor")
        if len(scales) > 1 and (not 0 <= axis < values.ndim or values.shape[axis] != len(scales)):
            raise Refusal(f"node {label(node)}: {len(scales)} scales along axis {axis} of shape {values.shape}")
        if values.dtype == np.uint8:
            values, points = (values.astype(np.int16) - 128).astype(np.int8), points - 128
        if values.dtype not in (np.int8, np.int32):
            raise Refusal(f"node {label(node)}: a constant of {values.dtype}, expected int8 or uint8")
        return QuantConstant(values, scales, points, axis if len(scales) > 1 else 0)

    def parameters(self, node: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Scales and zero points of a QuantizeLinear or DequantizeLinear, which have to be constants."""
        if node.input[1] not in self.constants or (len(node.input) > 2 and node.input[2] not in self.constants):
            raise Refusal(f"node {label(node)}: its scale is computed, expected a constant")
        scales = np.atleast_1d(self.constants[node.input[1]]).astype(np.float64).reshape(-1)
        points = np.atleast_1d(self.constants[node.input[2]]) if len(node.input) > 2 else np.zeros(len(scales), int)
        if not np.isfinite(scales).all() or (scales < 0).any() or len(points.reshape(-1)) not in (1, len(scales)):
            raise Refusal(f"node {label(node)}: scales have to be finite and positive")
        return scales, np.broadcast_to(points.reshape(-1).astype(np.int64), scales.shape)

    def _moved(self, node: Any, constant: QuantConstant) -> bool:
        """A quantised constant that is only turned or reshaped, as exporters do with weights."""
        values = constant.values
        if node.op_type == "Transpose":
            axes = self.attribute(node, "perm") or list(range(values.ndim))[::-1]
            self.quantised[node.output[0]] = constant.transposed(axes)
            return True
        if node.op_type in ("Identity", "Dropout"):
            self.quantised[node.output[0]] = constant
            return True
        if node.op_type not in ("Reshape", "Squeeze", "Unsqueeze", "Flatten"):
            return False
        shape = self.shape(node.output[0])
        axis = 0
        if constant.per_channel:
            before = math.prod(values.shape[: constant.axis])
            fits = [
                k for k, size in enumerate(shape) if size == len(constant.scales) and math.prod(shape[:k]) == before
            ]
            if not fits:
                raise Refusal(f"node {label(node)}: reshapes weights across their scales")
            axis = fits[0]
        self.quantised[node.output[0]] = QuantConstant(
            values.reshape(shape), constant.scales, constant.zero_points, axis
        )
        return True


def _shape(value: Any) -> tuple[int | None, ...] | None:
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(d.dim_value if d.WhichOneof("value") == "dim_value" else None for d in kind.shape.dim)


def _value_of_constant(node: Any) -> Array:
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if attribute.name == "value":
            return np.asarray(numpy_helper.to_array(value))
        if attribute.name in ("value_float", "value_floats"):
            return np.array(value, np.float32)
        if attribute.name in ("value_int", "value_ints"):
            return np.array(value, np.int64)
    raise Refusal(f"node {label(node)}: a constant of a kind that is not supported")
