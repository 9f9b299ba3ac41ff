"""What a scenario's [inputs] and [outputs] mean for a model: samples, labels, expected outputs. Kept between runs.

A scenario meets the same model on many boards; importing it and asking the oracle is done once per process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import (
    MAX_ARRAYS_BYTES,
    load_expected,
    load_inputs,
    load_labels,
    load_targets,
    make_inputs,
)
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.model_kinds import CustomOperators, importer_of
from mcu_harness.model.layout import Layout
from mcu_harness.model.reference import OracleMissing
from mcu_harness.model.tflm import run_tflm
from mcu_harness.scenario.scenario import InputSpec, OutputSpec

Array = npt.NDArray[np.generic]

MAX_SAMPLES = 1_000_000  # each costs a run, whatever its size


@dataclass(frozen=True, slots=True)
class Samples:
    """`inputs[k]` is (count, *shape) of model input k; `labels` (count,) and `targets` (count, *first output), real
    numbers, where the file has them.

    The first `run` of them are run in the emulator, None = all.
    """

    inputs: tuple[Array, ...]
    labels: npt.NDArray[np.int64] | None
    run: int | None = None
    targets: npt.NDArray[np.float32] | None = None

    @property
    def emulated(self) -> tuple[Array, ...]:
        """The inputs that the firmware is given."""
        return tuple(array[: self.run] for array in self.inputs)

    @property
    def count(self) -> int:
        return len(self.inputs[0])


Layouts = tuple[Layout, ...]


def model_graph(path: Path, custom: CustomOperators = ()) -> Graph:
    """The graph of a model file, read once as long as the file stays as it is; raises ModelError.

    `custom` are operators that the user gives C for, here and below.
    """
    return _graph(path, _stamp(path), custom)


def samples_for(path: Path, spec: InputSpec, layouts: Layouts = (), custom: CustomOperators = ()) -> Samples:
    """The samples that `spec` means for the model in `path`; raises ModelError.

    `layouts`, one an input, say how the model was laid out that `path` was converted from, if it was.
    """
    return _samples(path, _stamp(path), spec, _stamp(spec.file), layouts, custom)


def expected_outputs(
    path: Path,
    inputs: InputSpec,
    outputs: OutputSpec,
    layouts: tuple[Layouts, Layouts] = ((), ()),
    custom: CustomOperators = (),
) -> tuple[tuple[Array, ...] | None, str]:
    """Expected outputs, (count, *shape) for each model output, and whose word they are.

    None, with the reason, where nothing can be compared: oracle "none", or no LiteRT installed. `layouts` are those of
    inputs and of outputs.
    """
    return _expected(path, _stamp(path), inputs, _stamp(inputs.file), outputs, _stamp(outputs.file), layouts, custom)


def _stamp(path: Path | None) -> tuple[int, int]:
    """Changes when the file does."""
    if path is None:
        return (0, 0)
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _graph(path: Path, stamp: tuple[int, int], custom: CustomOperators) -> Graph:
    del stamp
    return importer_of(path).read(path, custom)


@lru_cache(maxsize=8)
def _samples(
    path: Path,
    stamp: tuple[int, int],
    spec: InputSpec,
    file_stamp: tuple[int, int],
    layouts: Layouts,
    custom: CustomOperators,
) -> Samples:
    del file_stamp
    graph = _graph(path, stamp, custom)
    if spec.file is None:
        assert spec.count is not None
        _check_size(path, graph, spec.count)
        return Samples(make_inputs(graph, spec.seed, spec.count), None)
    inputs = load_inputs(spec.file, graph, layouts)
    available = len(inputs[0])
    labels = load_labels(spec.file, available) if spec.file.suffix == ".npz" else None
    if labels is not None:
        _check_labels(spec.file, graph, labels)
    targets = load_targets(spec.file, graph, available) if spec.file.suffix == ".npz" else None
    count = spec.count or available
    if count > available:
        raise ModelError(f"{spec.file}: {available} samples, the scenario asks for {count}", hint="lower `count`")
    kept = tuple(array[:count] for array in inputs)
    return Samples(
        kept, None if labels is None else labels[:count], spec.emulated, None if targets is None else targets[:count]
    )


def _check_size(path: Path, graph: Graph, count: int) -> None:
    """An error for seeded inputs that would not fit into memory."""
    nbytes = count * sum(graph.tensors[index].nbytes for index in graph.inputs)
    if count > MAX_SAMPLES or nbytes > MAX_ARRAYS_BYTES:
        most = min(MAX_SAMPLES, MAX_ARRAYS_BYTES * count // max(nbytes, 1))
        raise ModelError(f"{path.name}: {count} seeded inputs are too many", hint=f"`count` can be up to {most}")


def _check_labels(file: Path, graph: Graph, labels: npt.NDArray[np.int64]) -> None:
    """An error for labels that no output can be at, such as those that begin at 1."""
    classes = max(2, graph.tensors[graph.outputs[0]].elements)  # one element tells two classes
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ModelError(
            f'{file}: "labels" go from {low} to {high}, but the first output of the model has {classes} elements',
            hint=f"a label is the place of the right class in that output, 0 to {classes - 1}",
        )


@lru_cache(maxsize=8)
def _expected(
    path: Path,
    stamp: tuple[int, int],
    inputs: InputSpec,
    input_stamp: tuple[int, int],
    outputs: OutputSpec,
    output_stamp: tuple[int, int],
    layouts: tuple[Layouts, Layouts],
    custom: CustomOperators,
) -> tuple[tuple[Array, ...] | None, str]:
    del output_stamp
    graph = _graph(path, stamp, custom)
    samples = _samples(path, stamp, inputs, input_stamp, layouts[0], custom)
    if outputs.file is not None:
        return load_expected(outputs.file, graph, samples.count, layouts[1]), outputs.file.name
    if outputs.oracle == "none":
        return None, 'oracle = "none"'
    try:
        run = run_tflm if outputs.oracle == "tflm" else importer_of(path).reference
        reference = run(path, graph, samples.inputs)
    except OracleMissing as error:
        return None, str(error).replace("\n", " ")
    return reference.outputs, reference.oracle
