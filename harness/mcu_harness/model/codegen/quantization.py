"""What TFLite's operators prepare from scales and zero points before they run, to the last bit.

Formulas are those of LiteRT 2.3.0: kernels/kernel_util.cc (`PopulateConvolutionQuantizationParams`,
`CalculateActivationRangeQuantized`). Scales are float32 in the model file and arithmetic on them is double there,
unless a function here says float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.fixed_point import Affine, quantize_multiplier, round_half_away
from mcu_harness.model.codegen.layer import Context, unsupported
from mcu_harness.model.graph import Layer, Tensor
from mcu_harness.model.legacy_uint8 import AS_UINT8

_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}

# The attribute of a layer that an activation was merged into: (least, most), int8.
CLAMP = "clamp"

# Accumulators are int32, here and in the reference.
_ACCUMULATOR_LIMIT = 2**31

Int64s = npt.NDArray[np.int64]


def affine(layer: Layer, tensor: Tensor) -> Affine:
    """A tensor's one scale and zero point; raises ModelError where it has none, or one per channel."""
    quantization = tensor.quantization
    if quantization is None or quantization.per_channel or not quantization.scales:
        raise unsupported(layer, f"tensor {tensor.index} ({tensor.name!r}) needs one scale and zero point")
    return Affine(float(np.float32(quantization.scales[0])), quantization.zero_points[0])


def activation_range(layer: Layer, output: Tensor) -> tuple[int, int]:
    """The smallest and largest output value that the layer's activations let through."""
    low, high = _fused_range(layer, output)
    limits = layer.attributes.get(CLAMP)
    if isinstance(limits, tuple):
        low, high = (min(max(end, limits[0]), limits[1]) for end in (low, high))
    return low, high


def _fused_range(layer: Layer, output: Tensor) -> tuple[int, int]:
    """As the model has it in the layer."""
    low, high = _RANGES[output.dtype]
    activation = str(layer.attributes.get("fused_activation", "NONE"))
    quantization = affine(layer, output)

    def quantized(real: float) -> int:
        steps = np.float32(real) / np.float32(quantization.scale)
        if abs(steps) >= 2.0**31:
            raise unsupported(layer, f"its output scale {quantization.scale:g} is absurdly small for {activation}")
        return quantization.zero_point + round_half_away(float(steps))

    match activation:
        case "NONE":
            return low, high
        case "RELU":
            return max(low, quantized(0.0)), high
        case "RELU6":
            return max(low, quantized(0.0)), min(high, quantized(6.0))
        case "RELU_N1_TO_1":
            return max(low, quantized(-1.0)), min(high, quantized(1.0))
    raise unsupported(layer, f"fused activation {activation}")


@dataclass(frozen=True, slots=True)
class Sums:
    """The dot products of a convolution or dense layer: its filter as [outputs, taps] int8 and what follows from it.

    `bias` already contains what the input's zero point adds, so that raw input bytes can be multiplied.
    `scales` are the real factors from sum to output, one for all or one an output.
    `least` and `most` are the ends of each sum, for any input and at any moment while it is summed up; `reach` is by how much it
    can differ from 0.
    """

    filters: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    scales: tuple[float, ...]
    least: Int64s
    most: Int64s

    @property
    def reach(self) -> Int64s:
        return np.maximum(np.abs(self.least), np.abs(self.most))

    def multipliers(self, layer: Layer) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
        """TFLite's fixed-point multipliers and shifts of `scales`, for rounding twice.

        Raises ModelError where a sum that can occur would leave 32 bits on its way through `mcu_requantize_twice`.
        """
        pairs = [quantize_multiplier(scale) for scale in self.scales]
        for channel, reach in enumerate(self.reach.tolist()):
            multiplier, shift = pairs[channel if len(pairs) > 1 else 0]
            # the sum times the multiplier, to which half of the last bit is added; a left shift wraps, as in the reference
            if shift < 0 and (reach * multiplier >> 31) + 2 + (1 << (-shift - 1)) >= _ACCUMULATOR_LIMIT:
                raise _overflow(layer, channel, reach)
        return np.array([pair[0] for pair in pairs], np.int32), np.array([pair[1] for pair in pairs], np.int8)

    def fixed_point(self) -> tuple[Int64s, Int64s]:
        """TFLite's fixed-point multipliers and shifts of `scales`."""
        pairs = [quantize_multiplier(scale) for scale in self.scales]
        return np.array([pair[0] for pair in pairs], np.int64), np.array([pair[1] for pair in pairs], np.int64)


def dot_products(layer: Layer, context: Context, filters: npt.NDArray[np.int8]) -> Sums:
    """What a layer with inputs (activation, filter, bias or -1) sums up, given its filter as [outputs, taps].

    Raises ModelError where a sum could leave 32 bits, or a scale is missing.
    """
    incoming, scales = affine(layer, context.tensor(layer.inputs[0])), product_scales(layer, context, len(filters))
    bias = _bias(layer, context, len(filters))
    folded = bias - incoming.zero_point * filters.sum(axis=1, dtype=np.int64)
    sums = Sums(filters, folded.astype(np.int32), scales, *_ends(filters, bias, incoming.zero_point))
    if int(sums.reach.max(initial=0)) >= _ACCUMULATOR_LIMIT:
        raise _overflow(layer, int(sums.reach.argmax()), int(sums.reach.max()))
    return sums


def product_scales(layer: Layer, context: Context, outputs: int) -> tuple[float, ...]:
    """The real factors from sum to output of a layer with inputs (activation, filter, ...): one for all, or one for each of `outputs`.

    Raises ModelError where a scale is missing.
    """
    source, weights = context.tensor(layer.inputs[0]), context.tensor(layer.inputs[1])
    incoming, outgoing = affine(layer, source), affine(layer, context.tensor(layer.outputs[0]))
    if weights.quantization is None or len(weights.quantization.scales) not in (1, outputs):
        raise unsupported(layer, f"filter {weights.index} ({weights.name!r}) needs one scale, or one an output channel")
    scales = [float(np.float32(scale)) for scale in weights.quantization.scales]
    if layer.attributes.get(AS_UINT8) and layer.operator != "FULLY_CONNECTED":
        # GetQuantizedConvolutionMultipler: the product is a float32. The kernel of dense layers takes the scales themselves.
        return tuple(float(np.float32(incoming.scale) * np.float32(scale)) / outgoing.scale for scale in scales)
    return tuple(incoming.scale * scale / outgoing.scale for scale in scales)


def _ends(filters: npt.NDArray[np.int8], bias: Int64s, zero_point: int) -> tuple[Int64s, Int64s]:
    """Least and greatest value of each sum, partial sums included, over all int8 inputs.

    A tap that is not there yet counts as if its input were 0, which is an int8 too: so partial sums of raw bytes on top of
    the folded bias lie between the same ends.
    """
    lowest, highest = -128 - zero_point, 127 - zero_point
    positive = np.maximum(filters, 0).sum(axis=1, dtype=np.int64)
    negative = filters.sum(axis=1, dtype=np.int64) - positive
    return bias + positive * lowest + negative * highest, bias + positive * highest + negative * lowest


def _overflow(layer: Layer, channel: int, reach: int) -> ModelError:
    return unsupported(
        layer,
        f"output channel {channel} can sum up to {reach}, which overflows the 32 bits that its kernel has "
        "(a bias, or a filter's scale, is out of proportion)",
    )


def _bias(layer: Layer, context: Context, outputs: int) -> Int64s:
    if len(layer.inputs) < 3 or layer.inputs[2] < 0:
        return np.zeros(outputs, np.int64)
    tensor = context.tensor(layer.inputs[2])
    if tensor.data is None or tensor.data.size != outputs:
        raise unsupported(layer, f"bias {tensor.index} ({tensor.name!r}) must be constant, one value an output")
    return tensor.data.reshape(-1).astype(np.int64)
