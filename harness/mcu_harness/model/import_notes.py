"""What import made of the layers of a model's file, in words: for reports, beside what a conversion says."""

from __future__ import annotations

from collections.abc import Iterator

from mcu_harness.model.float_islands import THROUGH_FLOAT
from mcu_harness.model.graph import Graph
from mcu_harness.model.legacy_uint8 import AS_JOINED, AS_UINT8


def import_notes(graph: Graph) -> tuple[str, ...]:
    """One sentence for each change, of the whole model first, then in the order of its layers; none where nothing was changed.

    `graph` is simplified: what is computed.
    """
    return tuple(_notes(graph))


def _notes(graph: Graph) -> Iterator[str]:
    joined = sum(AS_JOINED in layer.attributes for layer in graph.layers)
    if joined or any(AS_UINT8 in layer.attributes for layer in graph.layers):
        yield "the model computes in uint8: as int8, with every number and zero point 128 less, between QUANTIZE at inputs and outputs"
    if joined:
        yield f"{joined} inputs of CONCATENATION have other scales than its output: QUANTIZE put before it, which rounds as it does"
    for layer in graph.layers:
        if layer.attributes.get(THROUGH_FLOAT):
            yield f"{layer.place} is a function of floats between DEQUANTIZE and QUANTIZE: a table from int8 to int8"
        if layer.merged:
            yield f"{layer.place} computes {', '.join(layer.merged)} too"
