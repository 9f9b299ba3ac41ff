"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, number, unsupported
from mcu_harness.model.codegen.quantization import activation_range
from mcu_harness.model.codegen.sliding_windows import window_of
from mcu_harness.model.graph import Layer

_KERNELS = {
    "AVERAGE_POOL_2D": Kernel(
        "mcu_average_pool_2d_s8", "portable/average_pool_2d_s8.c", "mcu_pool_2d.h", raster_positions=1
    ),
    "MAX_POOL_2D": Kernel("mcu_max_pool_2d_s8", "portable/max_pool_2d_s8.c", "mcu_pool_2d.h", raster_positions=1),
}


_WIDE_KERNELS = {
    "AVERAGE_POOL_2D": Kernel("mcu_average_pool_2d_s16", "portable/pool_2d_s16.c", "mcu_pool_2d_s16.h"),
    "MAX_POOL_2D": Kernel("mcu_max_pool_2d_s16", "portable/pool_2d_s16.c", "mcu_pool_2d_s16.h"),
}


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    size = (int(number(layer, "filter_height")), int(number(layer, "filter_width")))
    window = window_of(layer, source, result, size)
    low, high = activation_range(layer, result)
    kernel = (_KERNELS if source.dtype == "int8" else _WIDE_KERNELS)[layer.operator]
    if source.dtype == "int16" and size[0] * size[1] > 65535:
        raise unsupported(layer, f"a window of {size[0]} x {size[1]} int16; 65535 positions at most")
    members = (("window", window.c_initializer()), ("minimum", str(low)), ("maximum", str(high)))
    parameters = f"&{context.name('parameters')}"
    return LayerCode(
        body=(f"{kernel.function}({context.write(result.index)}, {context.read(source.index)}, {parameters});",),
        kernels=(kernel,),
        structs=(Struct("struct mcu_pool_2d", "parameters", members),),
        raster_positions=kernel.raster_positions,
    )


EMITTERS = {
    "AVERAGE_POOL_2D": emit,
    "MAX_POOL_2D": emit,
}
