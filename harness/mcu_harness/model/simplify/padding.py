"""Takes PAD and PADV2 into the windows that read them: the border is never written, and the image never copied.

A convolution reads padding as its input's zero point, so the border must be that. A maximum leaves padding out, which is the same where
no input can be less than the border. An average leaves it out too, which never is the same.
"""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.layer import Context, NoPlan
from mcu_harness.model.codegen.operators.pad import fill_value
from mcu_harness.model.codegen.sliding_windows import Axis, window_of
from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operation import EXPLICIT, Operation
from mcu_harness.model.simplify.spans import Spans, spans_of

_PADS = ("PAD", "PADV2")
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def without_padding_layers(graph: Graph) -> Graph:
    """`graph` with windows that reach beyond their image instead; a PAD that some reader needs stays as it is for all."""
    if not any(layer.operator in _PADS for layer in graph.layers):
        return graph
    spans, layers, readers_of = spans_of(graph), list(graph.layers), graph.readers
    for pad in reversed(graph.layers):
        if pad.operator not in _PADS or pad.outputs[0] in graph.outputs:
            continue
        readers = [layers[index] for index in readers_of.get(pad.outputs[0], ())]
        try:
            wider = [_wider(graph, pad, layer, spans) for layer in readers]
        except ModelError:
            continue  # whoever makes C of the reader says why that cannot be done
        for layer in wider:
            if layer is not None and None not in wider:
                layers[layer.index] = layer
    return replace(graph, layers=tuple(layers))


def _wider(graph: Graph, pad: Layer, reader: Layer, spans: Spans) -> Layer | None:
    """`reader` with the input of `pad`; None where that is not the same. Raises ModelError."""
    source, padded = graph.tensors[pad.inputs[0]], graph.tensors[pad.outputs[0]]
    border = fill_value(pad, Context(graph, pad, NoPlan()))
    paddings = Operation.of(graph, pad).indices(1)
    if len(source.shape) != 4 or any((*paddings[:2], *paddings[6:])) or source.quantization != padded.quantization:
        return None
    if reader.inputs.count(padded.index) != 1 or reader.inputs[0] != padded.index or padded.quantization is None:
        return None
    if reader.operator in _CONVOLUTIONS:
        same, kernel = padded.quantization.zero_points == (border,), graph.tensors[reader.inputs[1]].shape[1:3]
    elif reader.operator == "MAX_POOL_2D":
        same = border <= int(spans[source.index].least.min())
        kernel = tuple(int(reader.attributes[name]) for name in ("filter_height", "filter_width"))  # type: ignore[arg-type]
    else:
        return None
    window = window_of(reader, padded, graph.tensors[reader.outputs[0]], (kernel[0], kernel[1]))
    before = [axis.padding + more for axis, more in zip((window.height, window.width), paddings[2:6:2], strict=True)]
    sizes = source.shape[1:3]
    if not same or not all(map(_touches, (window.height, window.width), before, sizes)):
        return None
    attributes = {**reader.attributes, "padding": EXPLICIT, "pad_h": before[0], "pad_w": before[1]}
    merged = (pad.place, *pad.merged, *reader.merged)
    return replace(reader, inputs=(source.index, *reader.inputs[1:]), attributes=attributes, merged=merged)


def _touches(axis: Axis, before: int, size: int) -> bool:
    """Whether every window has some of the image between its ends, with `before` positions of padding and an image of `size`."""
    extent = (axis.kernel - 1) * axis.dilation + 1
    return before < extent and (axis.out - 1) * axis.stride - before < size
