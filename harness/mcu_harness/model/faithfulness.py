"""What quantisation cost: the int8 model beside the float model that it was made from, on the same samples.

That is another question than whether outputs are right. Right is the firmware equal to LiteRT's kernels on the int8 model, to
the bit; faithful is how near that int8 model is to the original, and every int8 model is some way off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import load_labels, load_originals, quantized
from mcu_harness.model.convert.original_run import run_original
from mcu_harness.model.convert.record import Conversion
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.model_kinds import importer_of
from mcu_harness.model.layout import Layout
from mcu_harness.model.samples import model_graph
from mcu_harness.model.task_scores import Truth, scores

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float64]

MAX_SAMPLES = 256  # that outputs are compared on
MAX_LAYER_SAMPLES = 16  # that layers are compared on, as far as they fit
_MAX_LAYER_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """`sqnr_db` is the signal to quantisation noise ratio of the worst output, in dB: 10 log10(sum x^2 / sum (x - q)^2),
    x the original's real values and q the int8 model's; None where both are the same, or the original is all zeros.

    `layers` has it by number of the layer, accumulated from the inputs to it. `agreement` is the share of samples
    whose largest first output is at the same place. Accuracies are None without labels.
    """

    original: str
    samples: int
    source: str  # "calibration samples", "inputs"
    sqnr_db: float | None
    agreement: float | None
    accuracy: float | None
    original_accuracy: float | None
    layers: dict[int, float]

    @property
    def accuracy_drop(self) -> float | None:
        """By how much the int8 model is right less often; below 0 where it is right more often."""
        if self.accuracy is None or self.original_accuracy is None:
            return None
        return self.original_accuracy - self.accuracy

    @property
    def worst_layer(self) -> int | None:
        """The layer with the lowest ratio, None where none is known."""
        return min(self.layers, key=lambda index: (self.layers[index], index), default=None)


def faithfulness(
    conversion: Conversion, inputs: Path | None, calibration: Path | None, threshold: float | None = None
) -> Faithfulness | str:
    """The figures, or why there are none. Samples are those in the file `inputs` of the scenario, else in `calibration`.

    `threshold` is that of the accuracy (`task_scores`).
    """
    if conversion.original is None:
        return "the model is int8 from the start: there is no float model to compare it with"
    file, source = (inputs, "inputs") if inputs else (calibration, "calibration samples")
    if file is None:
        return "there are no samples of real data: give [inputs] file, or [quantize] calibration"
    try:
        status = file.stat()
        return _compared(conversion, file, (status.st_mtime_ns, status.st_size), source, threshold)
    except (ModelError, OSError) as error:
        return f"the float model cannot be compared with: {error.message if isinstance(error, ModelError) else error}"


def by_place(found: Faithfulness | str, graph: Graph) -> Faithfulness | str:
    """`found` with the ratios of layers by their place in `graph`, the last of those that stand for one operator."""
    if isinstance(found, str):
        return found
    places = {layer.number: place for place, layer in enumerate(graph.layers)}
    return replace(found, layers={places[number]: ratio for number, ratio in found.layers.items() if number in places})


@lru_cache(maxsize=8)
def _compared(
    conversion: Conversion, file: Path, stamp: tuple[int, int], source: str, threshold: float | None
) -> Faithfulness:
    del stamp
    model, graph = conversion.model, model_graph(conversion.model)
    given = [graph.tensors[index] for index in graph.inputs]
    everything = load_originals(file, given, conversion.inputs)
    labelled = source == "inputs" and file.suffix == ".npz"
    labels = load_labels(file, len(everything[0])) if labelled else None
    originals = tuple(array[:MAX_SAMPLES] for array in everything)
    count = len(originals[0])
    named = dict(conversion.tensors)
    layers = {
        layer.number: (index, named[graph.tensors[index].name])
        for layer in graph.layers
        for index in layer.outputs[:1]
        if graph.tensors[index].name in named and graph.tensors[index].quantization is not None
    }
    activations = sum(4 * graph.tensors[index].elements for index, _ in layers.values())
    some = max(1, min(MAX_LAYER_SAMPLES, count, _MAX_LAYER_BYTES // max(activations, 1)))
    theirs = run_original(conversion, originals, sorted({layout.name for _, layout in layers.values()}), some)
    fed = [
        quantized(layout.moved(array), tensor)
        for array, layout, tensor in zip(originals, conversion.inputs, given, strict=True)
    ]
    reference = importer_of(model).reference
    mine = reference(model, graph, fed).outputs
    inner = reference(model, graph, [array[:some] for array in fed], all_tensors=True).tensors
    ours = [
        _original(graph, index, values, layout)
        for index, values, layout in zip(graph.outputs, mine, conversion.outputs, strict=True)
    ]
    ratios = [
        ratio for got, exact in zip(ours, theirs.outputs, strict=True) if (ratio := sqnr_db(exact, got)) is not None
    ]
    by_layer = {}
    for number, (index, layout) in layers.items():
        if layout.name in theirs.tensors:
            ratio = sqnr_db(theirs.tensors[layout.name], _original(graph, index, inner[index], layout))
            if ratio is not None:
                by_layer[number] = ratio
    first, exact = ours[0].reshape(count, -1), theirs.outputs[0].reshape(count, -1)
    truth = Truth(labels, None, lambda: originals[0], originals[0][0].size, threshold)
    return Faithfulness(
        original=conversion.original_is,
        samples=count,
        source=source,
        sqnr_db=min(ratios, default=None),
        agreement=float(np.mean(first.argmax(1) == exact.argmax(1))) if first.shape[1] > 1 else None,
        accuracy=scores(first, truth).figures.get("accuracy"),
        original_accuracy=scores(exact, truth).figures.get("accuracy"),
        layers=by_layer,
    )


def _original(graph: Graph, index: int, values: Array, layout: Layout) -> Floats:
    """int8 values (count, *shape) as real ones, in the original's layout."""
    quantization = graph.tensors[index].quantization
    real = values.astype(np.float64)
    if quantization is not None:
        real = (real - quantization.zero_points[0]) * quantization.scales[0]
    return layout.restored(real)


def sqnr_db(exact: Array, got: Floats) -> float | None:
    """10 log10 of the power of `exact` over that of its difference to `got`; None where either is 0."""
    reals = exact.astype(np.float64)
    if reals.shape != got.shape:
        reals = reals.reshape(got.shape)
    signal, noise = float(np.sum(reals**2)), float(np.sum((reals - got) ** 2))
    if not (signal > 0 and noise > 0 and math.isfinite(signal) and math.isfinite(noise)):
        return None
    return 10 * math.log10(signal / noise)


def lowest(layers: dict[int, float], count: int) -> Sequence[tuple[int, float]]:
    """The layers with the lowest ratios, lowest first."""
    return sorted(layers.items(), key=lambda item: (item[1], item[0]))[:count]
