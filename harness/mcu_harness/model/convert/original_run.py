"""Runs the float model that a conversion began with."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.convert import child
from mcu_harness.model.convert.record import Conversion
from mcu_harness.model.convert.routes import LITERT, ONNX_PACKAGES

Array = npt.NDArray[np.generic]

_TFLITE = child.Worker("litert_float_run", "oracle", LITERT, 600.0)
_ONNX = child.Worker("onnx_float_run", "onnx", ONNX_PACKAGES, 600.0)


@dataclass(frozen=True, slots=True)
class OriginalRun:
    """`outputs[k]` is (count, *shape) of output k, `tensors` maps names to (some, *shape), both as the original has them."""

    outputs: tuple[Array, ...]
    tensors: dict[str, Array]


def run_original(conversion: Conversion, inputs: Sequence[Array], tensors: Sequence[str], some: int) -> OriginalRun:
    """`inputs[k]` is (count, *shape) of input k; of `tensors` those that the original has, for the first `some` inputs.

    Raises ModelError.
    """
    assert conversion.original is not None
    worker = _TFLITE if _is_tflite(conversion.original) else _ONNX
    with tempfile.TemporaryDirectory(prefix="mcu-harness-") as name:
        folder = Path(name)
        arrays: dict[str, Any] = {str(k): array for k, array in enumerate(inputs)}
        np.savez(folder / "inputs.npz", **arrays)
        answer = folder / "answer.npz"
        request = {
            "model": str(conversion.original), "inputs": str(folder / "inputs.npz"), "tensors": list(tensors),
            "some": some, "answer": str(answer),
        }  # fmt: skip
        child.ask(worker, conversion.original, request, folder)
        try:
            with np.load(answer, allow_pickle=False) as found:
                return OriginalRun(
                    tuple(found[f"output_{k}"] for k in range(len(conversion.outputs))),
                    {name: found[f"tensor_{k}"] for k, name in enumerate(tensors) if f"tensor_{k}" in found.files},
                )
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(f"{conversion.original}: the float model's outputs cannot be read") from error


def _is_tflite(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(8)[4:] == b"TFL3"
