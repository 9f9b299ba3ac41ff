"""A smaller model made of one without training: the door to `convert/shrink/` and to the ways of quantising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mcu_harness.base.errors import ModelError
from mcu_harness.base.files import write_bytes
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.model.convert import child
from mcu_harness.model.convert.routes import SHRINK, Job, Progress
from mcu_harness.model.convert.shrink.methods import METHODS, SAVES_NOTHING
from mcu_harness.model.faithfulness import Faithfulness, faithfulness
from mcu_harness.model.importers.model_kinds import kind_of
from mcu_harness.model.int8_model import int8_model
from mcu_harness.scenario.model_files import why_no_model
from mcu_harness.scenario.quantize import SCHEMES, QuantizeSpec

_OF_INT8 = "of an int8 .tflite, `16x8` and `int4` can be made; for the others give the float model"


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What was done. `parameters` and `macs` are (before, after) of the float model; None where only int8 was made.

    `quantised` is how far the written .tflite is from the float model behind it, or why that is not known; None for an .onnx.
    `sqnr_db` compares the first float output with the original's on `samples` samples, random ones unless `real`; None where
    both are the same to the bit. `agreement` is the share of samples with the same largest element.
    """

    said: tuple[str, ...]
    parameters: tuple[int, int] | None = None
    macs: tuple[int, int] | None = None
    samples: int = 0
    real: bool = False
    sqnr_db: float | None = None
    agreement: float | None = None
    quantised: Faithfulness | str | None = None


def shrunk_model(
    path: Path,
    methods: Sequence[str],
    output: Path,
    spec: QuantizeSpec,
    progress: Progress,
    *,
    dataset: Path | None = None,
    share: float = 0.5,
    energy: float = 0.95,
) -> Shrunk:
    """Write the model `path`, changed by `methods` in their order, to `output`: a float .onnx or a quantised .tflite.

    `share` of the channels are pruned, low rank keeps `energy`; a .tflite is compared on the samples of `dataset`, else on those that
    it was calibrated with. Raises ModelError, naming what cannot be done and why.
    """
    _check(path, methods, output, share, energy)
    structural = [name for name in methods if METHODS[name].structural]
    spec = quantised_by(methods, spec)
    with TemporaryDirectory(prefix="mcu-harness-") as name:
        folder, made, found = Path(name), path, Shrunk(())
        if structural:
            before = _float_onnx(path, structural[0], spec, progress, folder)
            made = folder / "smaller.onnx"
            progress("changing the model")
            request: dict[str, Any] = {
                **Job(path, "", spec, progress).options(),
                "model": str(before), "output": str(made), "methods": structural, "share": share, "energy": energy,
            }  # fmt: skip
            found = _read(child.ask(SHRINK, path, request, folder), spec)
        if output.suffix == ".onnx":
            write_bytes(output, made.read_bytes())
            return found
        conversion = int8_model(made, spec, progress)
        if not conversion.source:
            raise ModelError(
                f"{path}: {methods[-1]} makes int8 of a float model, and this is int8 already", hint=_OF_INT8
            )
        progress("comparing with the float model")
        quality = faithfulness(conversion, dataset, spec.calibration)
        write_bytes(output, conversion.model.read_bytes())
    how = f"quantised {'per channel' if spec.per_channel else 'per tensor'}, ranges by {spec.method}"
    return replace(found, said=(*found.said, how, *conversion.notes), quantised=quality)


def _check(path: Path, methods: Sequence[str], output: Path, share: float, energy: float) -> None:
    if problem := why_no_model(path):
        raise ModelError(f"{path}: {problem}", hint="give a model file, or file.py:function")
    if not methods:
        raise ModelError("no method to make the model smaller", hint="add --method, one of " + ", ".join(METHODS))
    for name in methods:
        if name in SAVES_NOTHING:
            raise ModelError(f"method {name}: {SAVES_NOTHING[name]}", hint="one of " + ", ".join(METHODS))
        if name not in METHODS:
            raise ModelError(f"no method is called {name!r}", hint=did_you_mean(name, tuple(METHODS)))
    if not 0 < share < 1 or not 0 < energy <= 1:
        raise ModelError(
            f"share {share:g}, energy {energy:g}: both are parts of 1", hint="as in --share 0.5 --energy 0.95"
        )
    quantising = [name for name in methods if not METHODS[name].structural]
    if output.suffix not in (".onnx", ".tflite"):
        raise ModelError(
            f"{output}: neither .onnx nor .tflite", hint="a float model is written as .onnx, a quantised one as .tflite"
        )
    if output.suffix == ".onnx" and quantising:
        raise ModelError(f"{output}: {quantising[0]} makes a quantised model", hint="name the output .tflite")
    if "16x8" in quantising and "int4" in quantising:
        raise ModelError("16x8 and int4 at once: no kernel computes both", hint="make a variant of each")


def quantised_by(methods: Sequence[str], spec: QuantizeSpec) -> QuantizeSpec:
    """`spec` as those of `methods` change it that quantise."""
    for name in methods:
        if name in ("per-channel", "per-tensor"):
            spec = replace(spec, per_channel=name == "per-channel")
        if name in ("minmax", "percentile"):
            spec = replace(spec, method=name)
        if name in SCHEMES:
            spec = replace(spec, scheme=name)
    return spec


def _float_onnx(path: Path, method: str, spec: QuantizeSpec, progress: Progress, folder: Path) -> Path:
    """`path` as an ONNX file; raises ModelError for what does not come to be one."""
    kind = kind_of(path)
    if kind.to_onnx is not None:
        progress("exporting the model")
        return kind.to_onnx(Job(path, kind.name, spec, progress), folder)
    raise ModelError(f"{path}: {method} changes float models, and this is {kind.name}", hint=_OF_INT8)


def _read(answer: dict[str, Any], spec: QuantizeSpec) -> Shrunk:
    before, after = answer["before"], answer["after"]
    return Shrunk(
        said=tuple(map(str, answer["said"])),
        parameters=(int(before[0]), int(after[0])),
        macs=(int(before[1]), int(after[1])),
        samples=int(answer["samples"]),
        real=spec.calibration is not None,
        sqnr_db=answer["sqnr_db"],
        agreement=float(answer["agreement"]),
    )
