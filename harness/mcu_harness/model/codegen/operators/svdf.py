"""SVDF, int8, with a state of int16 (TensorFlow Lite) or int8 (TensorFlow Lite Micro).

Scales follow LiteRT 2.3.0's kernels/svdf.cc: quotients of scales are float32 before they become double.
"""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer

_LARGEST_SUM = 2**30
_MOST_LEFT = 30

_KERNELS = {  # by the type of the state
    "int16": Kernel("mcu_svdf_s8_state_s16", "portable/svdf_s8.c", "mcu_svdf.h"),
    "int8": Kernel("mcu_svdf_s8_state_s8", "portable/svdf_s8.c", "mcu_svdf.h"),
}


def emit(layer: Layer, context: Context) -> LayerCode:
    source, features, times, bias, state = (context.tensor(index) for index in layer.inputs)
    result = context.tensor(layer.outputs[0])
    if layer.attributes["svdf_activation"] != "RELU":
        raise unsupported(layer, "an activation other than RELU, which LiteRT does not have either")
    assert features.data is not None
    assert times.data is not None
    assert bias.data is not None
    incoming, kept, outgoing = (affine(layer, tensor) for tensor in (source, state, result))
    sums = np.abs(features.data.astype(np.int64)).sum(axis=1)
    if int(sums.max()) * 255 >= _LARGEST_SUM:
        raise unsupported(layer, "sums of its features could overflow 32 bits")
    scale = [np.float32(affine(layer, tensor).scale) for tensor in (source, features, times, state, result)]
    feature = quantize_multiplier(float(scale[0] * scale[1] / scale[3]))
    out = quantize_multiplier(float(scale[3] * scale[2] / scale[4]))
    if max(feature[1], out[1]) > _MOST_LEFT:
        raise unsupported(layer, "scales that are out of proportion")
    constants = (
        Constant("feature_weights", features.data),
        Constant("time_weights", times.data),
        Constant("bias", bias.data),
    )
    members = {
        **{constant.suffix: context.name(constant.suffix) for constant in constants},
        "batches": source.shape[0],
        "inputs": source.shape[1],
        "filters": features.shape[0],
        "rank": int(layer.attributes["rank"]),  # type: ignore[arg-type]
        "memory": times.shape[1],
        "feature_multiplier": feature[0],
        "out_multiplier": out[0],
        "feature_right": -feature[1],
        "out_right": -out[1],
        "in_zero_point": incoming.zero_point,
        "state_zero_point": kept.zero_point,
        "out_zero_point": outgoing.zero_point,
    }
    kernel = _KERNELS[state.dtype]
    parameters = Struct("struct mcu_svdf", "parameters", tuple((name, str(value)) for name, value in members.items()))
    arguments = (
        context.write(result.index),
        context.read(source.index),
        context.write(state.index),
        f"&{context.name('parameters')}",
    )
    return LayerCode((f"{kernel.function}({', '.join(arguments)});",), (kernel,), constants, (parameters,))


EMITTERS = {
    "SVDF": emit,
}
