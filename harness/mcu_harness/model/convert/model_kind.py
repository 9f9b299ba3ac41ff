"""Which format a model is in, told from its name and its first bytes, without reading the rest."""

from __future__ import annotations

import zipfile
from enum import Enum
from pathlib import Path

from mcu_harness.base.errors import ModelError
from mcu_harness.model.convert.tflite_kind import TfliteKind, tflite_kind
from mcu_harness.scenario.model_files import split_factory

_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")


class ModelKind(Enum):
    """What a model is; the value is how people call it."""

    INT8_TFLITE = "int8 .tflite"
    FLOAT_TFLITE = "float .tflite"
    ONNX = "ONNX"
    TORCH = "PyTorch program"
    TORCH_FACTORY = "PyTorch factory"
    KERAS = "Keras"
    SAVED_MODEL = "TensorFlow SavedModel"


def model_kind(path: Path) -> ModelKind:
    """The format of the model `path`; raises ModelError for what no converter takes, with what to do."""
    file, function = split_factory(path)
    if function:
        return ModelKind.TORCH_FACTORY
    suffix = file.suffix.lower()
    if suffix == ".onnx":
        return ModelKind.ONNX
    if file.is_dir():
        return ModelKind.SAVED_MODEL
    if suffix == ".pt2":
        return ModelKind.TORCH
    if suffix == ".keras":
        return ModelKind.KERAS
    if suffix == ".py":
        raise ModelError(
            f"{path}: which function makes the model?",
            hint=f"name it after a colon, as in {path.name}:make; it returns (module, example inputs)",
        )
    if suffix in (".h5", ".hdf5"):
        raise ModelError(f"{path}: HDF5 is Keras's old format", hint='save the model with model.save("model.keras")')
    if suffix in _PICKLES and (zipfile.is_zipfile(file) or _is_pickle(file)):
        raise ModelError(
            f"{path}: a pickle runs whatever code it holds when it is read, so it is not read",
            hint="save with torch.export.save(torch.export.export(model, (example,)), 'model.pt2'), or give file.py:function",
        )
    kind = tflite_kind(file)
    if kind is TfliteKind.WEIGHTS_ONLY:
        raise ModelError(
            f"{path}: only its weights are int8, its layers compute in float (dynamic-range quantisation)",
            hint="give the float .tflite (converted without `optimizations`) and a calibration file",
        )
    return ModelKind.FLOAT_TFLITE if kind is TfliteKind.FLOAT else ModelKind.INT8_TFLITE


def _is_pickle(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(2)[:1] == b"\x80"
    except OSError:
        return False
