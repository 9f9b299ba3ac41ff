"""Float ONNX models made at test time, node by node, with random weights; channels second, as PyTorch exports them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class OnnxBuilder:
    """A model under construction. Values are names; `node` adds an operator and names what it writes."""

    def __init__(self, seed: int = 1, opset: int = 17) -> None:
        self.rng = np.random.default_rng(seed)
        self.opset = opset
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
        return name

    def output(self, name: str) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))

    def constant(self, values: Any, name: str = "") -> str:
        array = np.asarray(values)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        number = len(self.nodes)
        written = list(outputs) or [f"{kind.lower()}_{number}"]
        self.nodes.append(helper.make_node(kind, list(inputs), written, name=f"{kind}_{number}", **attributes))
        return written[0]

    def weights(self, shape: Sequence[int]) -> str:
        spread = np.sqrt(np.prod(shape[1:], initial=1.0))
        return self.constant(self.rng.normal(size=shape) / spread)

    def conv(self, x: str, channels: tuple[int, int], kernel: Sequence[int] = (3, 3), **attributes: Any) -> str:
        """Conv from channels[0] to channels[1], with a bias; `group=` makes it grouped."""
        inner = channels[0] // attributes.get("group", 1)
        bias = self.constant(self.rng.normal(size=channels[1]) * 0.1)
        return self.node("Conv", x, self.weights((channels[1], inner, *kernel)), bias, **attributes)

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, "net", self.inputs, self.outputs, self.constants)
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8 if self.opset < 20 else 10
        )
        return onnx.shape_inference.infer_shapes(made)

    def write(self, path: Path) -> Path:
        onnx.save(self.model(), str(path))
        return path
