"""CUSTOM: a call of the user's own C function, with all that the model says of its tensors (firmware/include/mcu_custom.h)."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.kernel import CUSTOM_FOLDER, Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.graph import Layer, Tensor

_NONE = "0"


def emit(layer: Layer, context: Context) -> LayerCode:
    given = context.graph.custom_operator(layer)
    constants: list[Constant] = []
    inputs, outputs = [], []
    for position, index in enumerate(layer.inputs):
        pointer, own = context.operand(index, f"input_{position}")
        constants += own
        inputs.append((pointer, _tensor(context, index, f"in_{position}", constants)))
    for position, index in enumerate(layer.outputs):
        outputs.append((context.write(index), _tensor(context, index, f"out_{position}", constants)))
    options = np.frombuffer(layer.attributes["custom_options"].encode("latin-1"), np.uint8)  # type: ignore[union-attr]
    if options.size:
        constants.append(Constant("options", options))
    members = (
        ("inputs", context.name("inputs")),
        ("outputs", context.name("outputs")),
        ("options", context.name("options") if options.size else _NONE),
        ("scratch", context.scratch if given.scratch_bytes else _NONE),
        ("input_count", str(len(inputs))),
        ("output_count", str(len(outputs))),
        ("options_bytes", f"{options.size}u"),
        ("scratch_bytes", f"{given.scratch_bytes}u"),
    )
    return LayerCode(
        body=(
            f"void {given.function}(const struct mcu_custom *operation);",
            f"{given.function}(&{context.name('parameters')});",
        ),
        kernels=(Kernel(given.function, f"{CUSTOM_FOLDER}{given.function}.c", "mcu_custom.h"),),
        constants=tuple(constants),
        structs=(
            Struct("struct mcu_custom_input", "inputs", rows=tuple(inputs)),
            Struct("struct mcu_custom_output", "outputs", rows=tuple(outputs)),
            Struct("struct mcu_custom", "parameters", members),
        ),
        scratch_bytes=-(-given.scratch_bytes // 4) * 4,
    )


def _tensor(context: Context, index: int, suffix: str, constants: list[Constant]) -> str:
    """What a tensor is like, as an initialiser; its shape and scales go into `constants`."""
    tensor = context.tensor(index)
    constants.append(Constant(f"shape_{suffix}", np.array(tensor.shape or (1,), np.int32)))
    members = {
        "shape": context.name(f"shape_{suffix}"),
        "rank": len(tensor.shape),
        "elements": tensor.elements,
        "type": f"MCU_CUSTOM_{tensor.dtype.upper()}",
        **_scales(context, tensor, suffix, constants),
    }
    return "{" + ", ".join(f".{name} = {value}" for name, value in members.items()) + "}"


def _scales(context: Context, tensor: Tensor, suffix: str, constants: list[Constant]) -> dict[str, str | int]:
    quantization = tensor.quantization
    if quantization is None:
        return {}
    constants.append(Constant(f"scales_{suffix}", np.array(quantization.scales, np.float32)))
    return {
        "scales": context.name(f"scales_{suffix}"),
        "scale_count": len(quantization.scales),
        "axis": quantization.axis,
        "zero_point": quantization.zero_points[0],
    }


EMITTERS = {
    "CUSTOM": emit,
}
