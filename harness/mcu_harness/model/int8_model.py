"""The door: a model of any kind goes in, one that is read as it is comes out."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.base.errors import ModelError
from mcu_harness.base.files import why_no_file
from mcu_harness.model.convert.record import Conversion
from mcu_harness.model.convert.routes import Job, Progress, with_scheme
from mcu_harness.model.importers.model_kinds import kind_of
from mcu_harness.scenario.model_files import why_no_model
from mcu_harness.scenario.quantize import QuantizeSpec


def _silent(_: str) -> None:
    pass


def int8_model(path: Path, spec: QuantizeSpec, progress: Progress = _silent) -> Conversion:
    """`path` as an int8 .tflite: itself where an importer reads it, else converted as `spec` says; and with its scheme.

    Raises ModelError, naming the file and the node or tensor, for what cannot be converted, where an optional package is
    missing, and where a float model comes without calibration samples.
    """
    if problem := why_no_model(path):
        raise ModelError(
            f"{path}: {problem}", hint="give a .tflite, .onnx, .pt2 or .keras file, a SavedModel, or file.py:function"
        )
    kind = kind_of(path)
    job = Job(path, kind.name, spec, progress)
    conversion = kind.convert(job) if kind.convert else _as_it_is(job)
    return conversion if spec.scheme == "int8" else with_scheme(job, conversion)


def _as_it_is(job: Job) -> Conversion:
    """A model that an importer reads; samples that were given for it are said to be of no use, and have to be there."""
    calibration = job.spec.calibration
    if calibration is None or job.spec.scheme != "int8":  # else the scheme is what they are for
        return Conversion(job.path)
    if problem := why_no_file(calibration):
        raise ModelError(f"{calibration}: {problem}", hint="calibration samples lie in an .npy or .npz file")
    return Conversion(job.path, notes=(f"the model is quantised already: samples of {calibration.name} are not used",))
