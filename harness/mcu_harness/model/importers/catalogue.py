"""Model files that become a `Graph` as they are, one entry each: what the files are called, who reads them, who checks them.

Formats that are converted to an int8 .tflite first are listed in `model/convert/model_kind.py`.

A new kind is a module beside this one and an entry here; `mcu-harness run`, scenarios and the pytest plugin find it
here alone. Entries import what they need when they are used, so that the list costs nothing to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from mcu_harness.model.graph import Graph
    from mcu_harness.model.reference import Reference


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
    """A kind of model file. `suffixes` are in small letters, with their dot.

    `read(path)` gives the graph, checked by `mcu_harness.model.checks`, or raises ModelError, whatever the file holds;
    `reference` says which outputs are right for it.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], Graph]
    reference: ReferenceRun


def _read_tflite(path: Path) -> Graph:
    from mcu_harness.model.importers.tflite import import_tflite

    return import_tflite(path)


def _litert(
    path: Path, graph: Graph, inputs: Sequence[npt.NDArray[np.generic]], *, all_tensors: bool = False
) -> Reference:
    from mcu_harness.model.reference import run_reference

    return run_reference(path, graph, inputs, all_tensors=all_tensors)


IMPORTERS: tuple[Importer, ...] = (Importer("TensorFlow Lite", (".tflite",), _read_tflite, _litert),)


def importer_of(path: Path) -> Importer:
    """The importer for `path` by its suffix; of an unknown suffix the first, whose error says what the file should be."""
    suffix = path.suffix.lower()
    return next((importer for importer in IMPORTERS if suffix in importer.suffixes), IMPORTERS[0])


def model_suffixes() -> str:
    """The suffixes of models in words: ".tflite", or ".onnx or .tflite"."""
    *others, last = sorted(suffix for importer in IMPORTERS for suffix in importer.suffixes)
    return f"{', '.join(others)} or {last}" if others else last
