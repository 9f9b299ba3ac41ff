"""AVERAGE_POOL_2D and MAX_POOL_2D: arm_avgpool_s8 and arm_max_pool_s8."""

from __future__ import annotations

from mcu_harness.model.codegen.cmsis_nn.calls import Call, activation, dims, dims_of, window_members
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, Unsuited, number
from mcu_harness.model.codegen.sliding_windows import window_of
from mcu_harness.model.graph import Layer

_SUM = 4  # bytes


def emit_with(layer: Layer, context: Context, *, has_dsp: bool) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    size = (int(number(layer, "filter_height")), int(number(layer, "filter_width")))
    window = window_of(layer, source, result, size)
    if window.batches > 1:
        raise Unsuited("several images, which versions before 6.0 do not pool")
    average = layer.operator == "AVERAGE_POOL_2D"
    members = (*window_members(window, dilated=False), ("activation", activation(layer, context)))
    structs = (
        Struct("cmsis_nn_pool_params", "parameters", members),
        dims_of("input_dims", source),
        dims("filter_dims", h=window.height.kernel, w=window.width.kernel),
        dims_of("output_dims", result),
    )
    arguments = (
        "&context",
        "&parameters",
        "&input_dims",
        context.read(source.index),
        "&filter_dims",
        "&output_dims",
        context.write(result.index),
    )
    # arm_avgpool_s8_get_buffer_size: sums of one position, on cores with the DSP extension
    needed = _SUM * window.channels if has_dsp else 0
    scratch = (needed, (str(window.width.out), str(window.channels))) if average else None
    return Call("arm_avgpool_s8" if average else "arm_max_pool_s8", arguments, structs, scratch=scratch).code(context)
