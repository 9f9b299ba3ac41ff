"""Every kind of model that can be given, a row each: how it is told, and how it becomes a `Graph`.

A kind with int8 numbers is read as it is: a module of `importers/`. Any other becomes an int8 .tflite first: a function in
`convert/routes.py` and a worker of `convert/workers/`. `mcu-harness run`, scenarios and the pytest plugin find kinds here alone. Rows import
what they need when they are used, so that the table costs nothing to look at.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mcu_harness.base.errors import ModelError
from mcu_harness.model.importers.foreign_files import FROM_CORE_ML
from mcu_harness.model.lfs_pointer import LFS_PULL, is_lfs_pointer
from mcu_harness.scenario.custom_operators import CustomOperator
from mcu_harness.scenario.model_files import is_core_ml, split_factory

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from mcu_harness.model.convert.record import Conversion
    from mcu_harness.model.convert.routes import Job
    from mcu_harness.model.graph import Graph
    from mcu_harness.model.reference import Reference

CustomOperators = tuple[CustomOperator, ...]

_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")


class ReferenceRun(Protocol):
    """Runs the model in a file on samples by an implementation whose outputs are the right ones, to the bit."""

    def __call__(
        self, path: Path, graph: Graph, inputs: Sequence[npt.NDArray[np.generic]], *, all_tensors: bool = False
    ) -> Reference:
        """`inputs[k]` is (count, *shape) of model input k of `graph`, which was read from `path`; with `all_tensors`,
        what every layer wrote is kept as well.

        Raises OracleMissing where the implementation is not installed, ModelError when it refuses the model.
        """
        ...


@dataclass(frozen=True, slots=True)
class Importer:
    """Reads files that have int8 numbers.

    `read(path, custom)` gives the graph, checked by `mcu_harness.model.checks`, or raises ModelError, whatever the file holds;
    `custom` are operators that the user gives C for;
    `reference` says which outputs are right for it.
    """

    read: Callable[[Path, CustomOperators], Graph]
    reference: ReferenceRun


@dataclass(frozen=True, slots=True)
class ModelKind:
    """`name` is how people call it. It is told by its `suffixes`, in small letters with their dot, or by `is_one`.

    It has an `importer`, or else `convert` makes an int8 .tflite of it, or raises ModelError. `to_onnx` makes float ONNX of it, in a
    folder; None where there is no way.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    is_one: Callable[[Path], bool] | None = None
    importer: Importer | None = None
    convert: Callable[[Job], Conversion] | None = None
    to_onnx: Callable[[Job, Path], Path] | None = None

    def takes(self, path: Path) -> bool:
        return self.is_one(path) if self.is_one else path.suffix.lower() in self.suffixes


def _read_tflite(path: Path, custom: CustomOperators) -> Graph:
    from mcu_harness.model.importers.tflite import import_tflite

    return import_tflite(path, custom)


def _litert(
    path: Path, graph: Graph, inputs: Sequence[npt.NDArray[np.generic]], *, all_tensors: bool = False
) -> Reference:
    from mcu_harness.model.reference import run_reference

    return run_reference(path, graph, inputs, all_tensors=all_tensors)


def _by(route: str) -> Callable[[Job], Conversion]:
    """The function of that name in convert/routes.py."""

    def convert(job: Job) -> Conversion:
        from mcu_harness.model.convert import routes

        made: Conversion = getattr(routes, route)(job)
        return made

    return convert


def _onnx_by(route: str) -> Callable[[Job, Path], Path]:
    """As `_by`, of the routes to ONNX."""

    def to_onnx(job: Job, folder: Path) -> Path:
        from mcu_harness.model.convert import routes

        made: Path = getattr(routes, route)(job, folder)
        return made

    return to_onnx


def _is_float_tflite(path: Path) -> bool:
    """Raises ModelError for a file of which only weights are int8."""
    from mcu_harness.model.convert.tflite_kind import TfliteKind, tflite_kind

    kind = tflite_kind(path)
    if kind is TfliteKind.WEIGHTS_ONLY:
        raise ModelError(
            f"{path}: only its weights are int8, its layers compute in float (dynamic-range quantisation)",
            hint="give the float .tflite (converted without `optimizations`) and a calibration file",
        )
    return kind is TfliteKind.FLOAT


# What no other kind takes is taken for this one, whose importer says what a file should be.
_TFLITE = Importer(_read_tflite, _litert)
INT8_TFLITE = ModelKind("int8 .tflite", (".tflite",), importer=_TFLITE)

_TORCH, _KERAS = _onnx_by("torch_onnx"), _onnx_by("keras_onnx")

# In the order in which they are asked.
MODEL_KINDS: tuple[ModelKind, ...] = (
    ModelKind("PyTorch factory", (), lambda path: bool(split_factory(path)[1]), None, _by("torch_factory"), _TORCH),
    ModelKind("ONNX", (".onnx",), convert=_by("onnx"), to_onnx=lambda job, _: job.path.absolute()),
    ModelKind("TensorFlow SavedModel", (), Path.is_dir, None, _by("keras"), _KERAS),
    ModelKind("PyTorch program", (".pt2",), None, None, _by("torch"), _TORCH),
    ModelKind("Keras", (".keras",), None, None, _by("keras"), _KERAS),
    ModelKind("float .tflite", (), _is_float_tflite, None, _by("float_tflite"), _onnx_by("tflite_onnx")),
    INT8_TFLITE,
)


def kind_of(path: Path) -> ModelKind:
    """The kind of the model `path`; raises ModelError for what nothing takes, with what to do."""
    _refuse(path)
    return next((kind for kind in MODEL_KINDS if kind.takes(path)), INT8_TFLITE)


def importer_of(path: Path) -> Importer:
    """What reads `path`, by its suffix; for an unknown one an importer whose error says what the file should be."""
    suffix = path.suffix.lower()
    return next((kind.importer for kind in MODEL_KINDS if kind.importer and suffix in kind.suffixes), _TFLITE)


def model_suffixes() -> str:
    """The suffixes of models that are read as they are, in words: ".tflite", or ".renamed or .tflite"."""
    *others, last = sorted(suffix for kind in MODEL_KINDS if kind.importer for suffix in kind.suffixes)
    return f"{', '.join(others)} or {last}" if others else last


def _refuse(path: Path) -> None:
    """Raises ModelError for files that are known and not taken."""
    suffix = path.suffix.lower()
    if is_core_ml(path):
        raise ModelError(f"{path}: it is a Core ML model, which is not read", hint=FROM_CORE_ML)
    if path.is_dir():
        return
    if is_lfs_pointer(path):
        raise ModelError(f"{path}: it is a Git LFS pointer, the model itself was not downloaded", hint=LFS_PULL)
    if suffix == ".py":
        raise ModelError(
            f"{path}: which function makes the model?",
            hint=f"name it after a colon, as in {path.name}:make; it returns (module, example inputs)",
        )
    if suffix in (".h5", ".hdf5"):
        raise ModelError(f"{path}: HDF5 is Keras's old format", hint='save the model with model.save("model.keras")')
    if suffix in _PICKLES and (zipfile.is_zipfile(path) or _is_pickle(path)):
        raise ModelError(
            f"{path}: a pickle runs whatever code it holds when it is read, so it is not read",
            hint="save with torch.export.save(torch.export.export(model, (example,)), 'model.pt2'), or give file.py:function",
        )


def _is_pickle(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(2)[:1] == b"\x80"
    except OSError:
        return False
