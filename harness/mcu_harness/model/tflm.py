"""The second oracle: what TensorFlow Lite Micro's kernels compute, from its own package for the host.

They equal LiteRT's reference kernels but for FULLY_CONNECTED, which they round twice where LiteRT rounds once. Firmware that
is to equal them computes dense layers with the convolution kernel, which rounds twice in both.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mcu_harness.base.errors import ModelError, ToolFailure
from mcu_harness.base.process import run
from mcu_harness.base.text import one_line
from mcu_harness.model.graph import Graph, Layer, Tensor
from mcu_harness.model.legacy_uint8 import AS_UINT8
from mcu_harness.model.reference import Array, OracleMissing, Reference

_PACKAGE = "tflite-micro"
_WORKER = Path(__file__).with_name("tflm_worker.py")
_NOT_IMPORTABLE = 3
_TIMEOUT_S = 300.0


def tflm_installed() -> bool:
    """Whether TensorFlow Lite Micro can be asked."""
    return importlib.util.find_spec("tflite_micro") is not None


def run_tflm(path: Path, graph: Graph, inputs: Sequence[Array], timeout_s: float = _TIMEOUT_S) -> Reference:
    """Run the model in `path`, which `graph` was imported from, on every sample; `inputs[k]` is (count, *shape).

    Raises OracleMissing where the package is not installed, ModelError when it refuses the model, crashes, or exceeds
    `timeout_s`. Of tensors between layers nothing is known.
    """
    if not tflm_installed():
        raise _missing("it is not installed")
    if graph.custom:
        raise OracleMissing(
            "custom operators of the model: nobody but their maker knows what they compute",
            hint="give expected outputs in a file ([outputs] file)",
        )
    with tempfile.TemporaryDirectory(prefix="mcu-harness-") as folder:
        request, answer = Path(folder, "request.npz"), Path(folder, "answer.npz")
        samples: dict[str, Any] = {f"input_{k}": np.ascontiguousarray(array) for k, array in enumerate(inputs)}
        np.savez(request, outputs=np.array(len(graph.outputs)), **samples)
        try:
            ended = run([sys.executable, "-P", _WORKER, path.absolute(), request, answer], timeout_s)
        except ToolFailure as failure:
            raise ModelError(
                f"{path}: TensorFlow Lite Micro did not finish {len(inputs[0])} inputs within {timeout_s:g} s",
                hint="use fewer inputs",
            ) from failure
        said = one_line(" ".join(ended.stderr.strip().splitlines()[-3:]))[:400]
        if ended.exit_code == _NOT_IMPORTABLE:
            raise _missing(f"it cannot be imported: {said}")
        if ended.exit_code or not answer.exists():
            raise ModelError(f"{path}: TensorFlow Lite Micro ended with {ended.exit_code}: {said}")
        with np.load(answer, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    if "error" in arrays:
        detail = one_line(f"{arrays['error']} {said}")[:400]
        raise ModelError(f"{path}: TensorFlow Lite Micro refuses the model: {detail}", hint='use oracle = "litert"')
    shapes = [graph.tensors[index].shape for index in graph.outputs]
    outputs = tuple(arrays[f"output_{k}"].reshape(-1, *shape) for k, shape in enumerate(shapes))
    return Reference(f"TensorFlow Lite Micro {_version()}", outputs, {})


def _version() -> str:
    try:
        return importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _missing(why: str) -> OracleMissing:
    return OracleMissing(
        f"TensorFlow Lite Micro, which the outputs are to equal, cannot be used: {why}",
        hint='pip install "pytest-mcu-harness[tflm]", or use oracle = "litert"',
    )


def with_dense_rounded_twice(graph: Graph) -> Graph:
    """`graph` with each FULLY_CONNECTED as a CONV_2D of one element between two RESHAPEs: the same sums, rounded twice."""
    tensors, layers = list(graph.tensors), list[Layer]()

    def add(like: Tensor, shape: tuple[int, ...], data: Array | None = None) -> int:
        index = len(tensors)
        tensors.append(replace(like, index=index, shape=shape, data=data))
        return index

    def step(layer: Layer, operator: str, inputs: tuple[int, ...], output: int, **attributes: Any) -> None:
        macs = layer.macs if operator == "CONV_2D" else 0
        layers.append(Layer(len(layers), operator, inputs, (output,), attributes, macs, layer.number))

    for layer in graph.layers:
        if layer.operator != "FULLY_CONNECTED" or layer.attributes.get(AS_UINT8):  # TFLM has no kernel of uint8
            layers.append(replace(layer, index=len(layers)))
            continue
        source, filters, *rest = (tensors[index] if index >= 0 else None for index in layer.inputs)
        result = tensors[layer.outputs[0]]
        assert source is not None and filters is not None and filters.data is not None
        units, depth = filters.shape
        rows = source.elements // depth
        windows = add(filters, (units, 1, 1, depth), filters.data.reshape(units, 1, 1, depth))
        bias = rest[0] if rest else None
        sums = (
            bias.index if bias is not None else add(_no_bias(len(tensors), units), (units,), np.zeros(units, np.int32))
        )
        before, after = add(source, (1, rows, 1, depth)), add(result, (1, rows, 1, units))
        step(layer, "RESHAPE", (source.index,), before)
        step(
            layer, "CONV_2D", (before, windows, sums), after, padding="VALID", stride_h=1, stride_w=1,
            dilation_h_factor=1, dilation_w_factor=1, fused_activation=layer.attributes.get("fused_activation", "NONE"),
        )  # fmt: skip
        step(layer, "RESHAPE", (after,), result.index)
    return replace(graph, tensors=tuple(tensors), layers=tuple(layers), source=f"{graph.source} as TFLM rounds")


def _no_bias(index: int, units: int) -> Tensor:
    return Tensor(index, "", (units,), "int32")
