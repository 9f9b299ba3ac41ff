"""What a layer of multiplications has to do, whatever code does it: its MACs, and how far its operands are shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.model.graph import DTYPE_BYTES, Graph, Layer, Tensor

_Sharing = Callable[[Graph, Layer], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class LayerWork:
    """`input_uses` MACs, of different output channels, can share an input that is in a register, and `weight_uses`, of
    different positions, a weight. With `outer`, sharing both takes an accumulator for every pair of a channel and a
    position. Inputs take `input_bytes` each, weights one byte; `stored_bytes` is the output.
    """

    macs: int
    input_uses: int
    weight_uses: int
    outer: bool
    input_bytes: int
    stored_bytes: int


def layer_work(graph: Graph, layer: Layer) -> LayerWork | None:
    """The work of a layer; None for one that multiplies nothing, or for which it is not known."""
    sharing = _SHARING.get(layer.operator)
    if sharing is None or not layer.macs:
        return None
    input_uses, weight_uses = (max(1, uses) for uses in sharing(graph, layer))
    return LayerWork(
        macs=layer.macs,
        input_uses=input_uses,
        weight_uses=weight_uses,
        outer=sharing is not _by_window,
        input_bytes=DTYPE_BYTES[_input(graph, layer).dtype],
        stored_bytes=graph.tensors[layer.outputs[0]].nbytes,
    )


def _input(graph: Graph, layer: Layer) -> Tensor:
    """The first operand that is no constant."""
    tensors = [graph.tensors[number] for number in layer.inputs if number >= 0]
    return next((tensor for tensor in tensors if tensor.data is None), tensors[0])


def _by_channel_and_position(graph: Graph, layer: Layer) -> tuple[int, int]:
    output = graph.tensors[layer.outputs[0]]
    channels = output.shape[-1] if output.shape else 1
    return channels, output.elements // max(1, channels)


def _by_channel_and_input_position(graph: Graph, layer: Layer) -> tuple[int, int]:
    """A transposed convolution puts every weight on every position of its input."""
    inputs, output = _input(graph, layer), graph.tensors[layer.outputs[0]]
    return output.shape[-1], inputs.elements // max(1, inputs.shape[-1])


def _of_one_matrix(graph: Graph, layer: Layer) -> tuple[int, int]:
    output = graph.tensors[layer.outputs[0]]
    return output.shape[-1], output.shape[-2] if len(output.shape) > 1 else 1


def _by_window(graph: Graph, layer: Layer) -> tuple[int, int]:
    """Each channel by itself: an input is shared by the windows that overlap on it, a weight by all positions."""
    inputs, output = _input(graph, layer), graph.tensors[layer.outputs[0]]
    return layer.macs // max(1, inputs.elements), output.elements // max(1, output.shape[-1])


_SHARING: dict[str, _Sharing] = {
    "CONV_2D": _by_channel_and_position,
    "FULLY_CONNECTED": _by_channel_and_position,
    "TRANSPOSE_CONV": _by_channel_and_input_position,
    "BATCH_MATMUL": _of_one_matrix,
    "DEPTHWISE_CONV_2D": _by_window,
}
