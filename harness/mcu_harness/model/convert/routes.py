"""How models become int8 .tflite files, a function for each way and the workers that it takes. Converted once, kept in the cache by content."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mcu_harness.base.cache import BuildCache, default_root, digest
from mcu_harness.base.errors import ModelError
from mcu_harness.base.files import why_no_file
from mcu_harness.model.convert import child, record
from mcu_harness.model.convert.record import Conversion
from mcu_harness.model.convert.weights_beside import WEIGHTS_BESIDE
from mcu_harness.scenario.model_files import split_factory
from mcu_harness.scenario.quantize import QuantizeSpec

_FORM = "1"  # changes with what our own part of a conversion writes
_MOST_BYTES = 1 << 30
Progress = Callable[[str], None]
Step = Callable[[Path], tuple[Path, tuple[str, ...]]]

LITERT = (("ai_edge_litert", "ai-edge-litert"),)
ONNX_PACKAGES = (("onnx", "onnx"), ("onnxruntime", "onnxruntime"), *LITERT)
CALIBRATE = child.Worker("litert_calibrate", "oracle", LITERT, 600.0)
ONNX = child.Worker("onnx_convert", "onnx", ONNX_PACKAGES, 600.0)
TORCH = child.Worker("torch_export", "torch", (("torch", "torch"), ("onnxscript", "onnxscript"), *ONNX_PACKAGES), 900.0)
FACTORY = child.Worker("factory_export", "torch", (), 900.0)  # what it needs depends on what the function makes
SHRINK = child.Worker("onnx_shrink", "onnx", ONNX_PACKAGES, 600.0)
SCHEME = child.Worker("litert_scheme", "oracle", LITERT, 600.0)
KERAS = child.Worker("keras_export", "keras", (("tensorflow", "tensorflow-cpu"), *LITERT), 900.0)

TFLITE_ONNX = child.Worker(
    "tflite_onnx", "keras,onnx", (("tensorflow", "tensorflow-cpu"), ("tf2onnx", "tf2onnx"), *ONNX_PACKAGES), 600.0
)


class Job:
    """One conversion of the model `path`, which is called `source`: where it reads, what it keeps."""

    def __init__(self, path: Path, source: str, spec: QuantizeSpec, progress: Progress) -> None:
        self.path, self.source, self.spec, self.progress = path, source, spec, progress
        self.cache = BuildCache(default_root())

    def options(self) -> dict[str, Any]:
        calibration = self.spec.calibration
        if calibration is not None and (problem := why_no_file(calibration)):
            raise ModelError(f"{calibration}: {problem}", hint="calibration samples lie in an .npy or .npz file")
        return {
            "calibration": None if calibration is None else str(calibration.absolute()),
            "count": self.spec.count,
            "method": self.spec.method,
            "per_channel": self.spec.per_channel,
            "made_up": self.spec.made_up,
        }

    def key(self, model: Path, *workers: child.Worker, more: Sequence[bytes | str] = ()) -> str:
        """A digest of all that `workers` one after the other make of `model`, and of `more` that it depends on."""
        calibration = self.options()["calibration"]
        return digest(
            (
                _FORM,
                _own_code(),
                self.source,
                *(version for worker in workers for version in worker.versions(self.path)),
                *(part for label, file in companions(model) for part in (label, content_digest(file))),
                content_digest(Path(calibration)) if calibration else "",
                repr((self.spec.count, self.spec.method, self.spec.per_channel, self.spec.made_up)),
                *more,
            )
        )

    def converted(
        self, worker: child.Worker, model: Path, key: str, first: Step | None = None, more: dict[str, Any] | None = None
    ) -> Conversion:
        """`model` made int8 by `worker`, or taken from the cache, where it is kept under `key`. `more` is asked of it, too.

        `worker` takes an ONNX or float .tflite file: `first` makes one of `model`, in a folder that it is given.
        """
        kept = self.cache.entry("tflite", key)
        told = self.cache.entry("conversion", key)
        original = self.cache.entry("original", key)
        if not (self.cache.has(kept) and self.cache.has(told) and self.cache.has(original)):
            self.progress(f"converting the {self.source}")
            with self.cache.scratch() as scratch:
                before, tools = (model, ()) if first is None else first(scratch)
                made, used = scratch / "int8.tflite", scratch / "original"
                request = {"model": str(before.absolute()), "output": str(made), "original": str(used)}
                answer = child.ask(worker, self.path, request | self.options() | (more or {}), scratch)
                used = used if used.exists() else shutil.copyfile(before, used)
                facts = {
                    "source": self.source,
                    "tools": tuple(dict.fromkeys((*tools, *worker.versions(self.path)))),
                    **answer,
                }
                (scratch / "told").write_text(record.to_json(facts), encoding="utf-8")
                self.cache.publish(used, original)
                self.cache.publish(scratch / "told", told)
                self.cache.publish(made, kept)
        try:
            return record.from_json(told.read_text(encoding="utf-8"), kept, original)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{told}: what the cache keeps of a conversion cannot be read", hint="delete the file"
            ) from error


def _own_code() -> str:
    """A digest of this sub-room: what it writes changes with it."""
    here = Path(__file__).parent
    parts = [path.read_bytes() for path in sorted(here.rglob("*.py"))]
    return digest(parts)


def companions(model: Path) -> list[tuple[str, Path]]:
    """The files that a model consists of, each with what tells it from the others, whatever the model's own name is.

    A folder's files, or `model` with weights beside it ("net.onnx.data").
    """
    if model.is_dir():
        return sorted((path.relative_to(model).as_posix(), path) for path in model.rglob("*") if path.is_file())
    beside = [(ending, model.with_name(model.name + ending)) for ending in WEIGHTS_BESIDE]
    return [("", model), *((ending, path) for ending, path in beside if path.is_file())]


def content_digest(path: Path) -> bytes:
    """sha256 of a file; raises ModelError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{path}: {path.stat().st_size} bytes, at most {_MOST_BYTES} are read")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


def float_tflite(job: Job) -> Conversion:
    return job.converted(CALIBRATE, job.path, job.key(job.path, CALIBRATE))


def onnx(job: Job) -> Conversion:
    return job.converted(ONNX, job.path, job.key(job.path, ONNX))


def torch(job: Job) -> Conversion:
    key = job.key(job.path, TORCH, ONNX)
    return job.converted(ONNX, job.path, key, lambda folder: _exported(job, TORCH, "net.onnx", folder))


def keras(job: Job) -> Conversion:
    key = job.key(job.path, KERAS, CALIBRATE)
    return job.converted(CALIBRATE, job.path, key, lambda folder: _exported(job, KERAS, "net.tflite", folder))


def torch_factory(job: Job) -> Conversion:
    """A program can depend on anything: it is exported each time, and what it exports is what the cache knows it by."""
    job.progress("running the function that makes the model")
    with job.cache.scratch() as folder:
        exported, tools = _exported(job, TORCH, "net.onnx", folder)
        key = job.key(exported, TORCH, ONNX)
        return job.converted(ONNX, exported, key, lambda _: (exported, tools))


def with_scheme(job: Job, conversion: Conversion) -> Conversion:
    """The int8 model of `conversion` with the numbers that the job's scheme names; raises ModelError."""
    original = conversion.original
    content = (content_digest(original) if original else b"", job.spec.scheme)
    key = job.key(conversion.model, SCHEME, more=content)
    layouts = [(layout.name, layout.shape, layout.order) for layout in conversion.inputs]
    more = {"scheme": job.spec.scheme, "float": str(original or ""), "layouts": layouts}
    made = job.converted(SCHEME, conversion.model, key, more=more)
    if not conversion.source:
        return made
    return replace(
        conversion, model=made.model, notes=(*conversion.notes, *made.notes), tools=(*conversion.tools, *made.tools)
    )


def torch_onnx(job: Job, folder: Path) -> Path:
    """A PyTorch program, or what a factory makes, as an ONNX file in `folder`; raises ModelError."""
    return _exported(job, TORCH, "net.onnx", folder)[0]


def tflite_onnx(job: Job, folder: Path) -> Path:
    """A float .tflite as an ONNX file in `folder`; raises ModelError."""
    return _exported(job, TFLITE_ONNX, "net.onnx", folder)[0]


def keras_onnx(job: Job, folder: Path) -> Path:
    """A Keras model, or a SavedModel, as an ONNX file in `folder`; raises ModelError."""
    TFLITE_ONNX.versions(job.path)  # what is missing is said before the work
    made, _ = _exported(job, KERAS, "net.tflite", folder)
    child.ask(TFLITE_ONNX, job.path, {"model": str(made), "output": str(folder / "net.onnx")}, folder)
    return folder / "net.onnx"


def _exported(job: Job, worker: child.Worker, name: str, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """What `worker` makes of the user's model, in `folder`, and with what."""
    file, function = split_factory(job.path)
    made = folder / name
    child.ask(worker, job.path, {"model": str(file.absolute()), "function": function, "output": str(made)}, folder)
    return made, worker.versions(job.path)
