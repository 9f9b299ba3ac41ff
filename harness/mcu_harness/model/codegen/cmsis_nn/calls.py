"""Calls of CMSIS-NN's functions as C: their parameter structs by name, their scratch, and their answers checked.

Functions, members and units are those of Include/arm_nnfunctions.h and arm_nn_types.h since CMSIS-NN 4.1. Every call whose function says that it
could not do its work ends in a fault (firmware/include/mcu_cmsis_nn.h), and so does one whose own
`arm_..._get_buffer_size` asks for more scratch than was planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.quantization import activation_range, affine
from mcu_harness.model.codegen.sliding_windows import Window
from mcu_harness.model.graph import Layer, Tensor

SET = "cmsis-nn"


def kernel(function: str, *, sized: bool = False) -> Kernel:
    """The function of the library, with the one that says how much scratch it needs where it has one."""
    helpers = (f"{SET}/{function}_get_buffer_size.c",) if sized else ()
    return Kernel(function, f"{SET}/{function}.c", "mcu_cmsis_nn.h", helpers=helpers)


def braced(**members: object) -> str:
    """A C initializer of named members."""
    return "{" + ", ".join(f".{name} = {value}" for name, value in members.items()) + "}"


def tile(height: int, width: int) -> str:
    return braced(h=height, w=width)


def dims(suffix: str, n: int = 1, h: int = 1, w: int = 1, c: int = 1) -> Struct:
    return Struct(
        "cmsis_nn_dims", suffix, tuple((name, str(value)) for name, value in zip("nhwc", (n, h, w, c), strict=True))
    )


def dims_of(suffix: str, tensor: Tensor) -> Struct:
    """Of a tensor with four dimensions, NHWC."""
    n, h, w, c = tensor.shape
    return dims(suffix, n, h, w, c)


def activation(layer: Layer, context: Context) -> str:
    low, high = activation_range(layer, context.tensor(layer.outputs[0]))
    return braced(min=low, max=high)


def input_offset(layer: Layer, context: Context) -> str:
    """What is added to an input byte, and to an output: zero points as the library has them."""
    return str(-affine(layer, context.tensor(layer.inputs[0])).zero_point)


def output_offset(layer: Layer, context: Context) -> str:
    return str(affine(layer, context.tensor(layer.outputs[0])).zero_point)


def filter_arguments(layer: Layer, context: Context, bias: str) -> tuple[str, ...]:
    """Of functions that have a filter and a `bias`."""
    return (
        "&context",
        "&parameters",
        "&quantization",
        "&input_dims",
        context.read(layer.inputs[0]),
        "&filter_dims",
        context.name("filter"),
        "&bias_dims",
        bias,
        "&output_dims",
        context.write(layer.outputs[0]),
    )


def bias_of(layer: Layer, context: Context) -> tuple[str, tuple[Constant, ...]]:
    """A pointer to the bias as the model has it, "0" for none."""
    tensor = context.tensor(layer.inputs[2]) if len(layer.inputs) > 2 and layer.inputs[2] >= 0 else None
    if tensor is None or tensor.data is None:
        return "0", ()
    return context.name("bias"), (Constant("bias", tensor.data.reshape(-1).astype(np.int32)),)


def per_channel(
    context: Context, multiplier: npt.NDArray[np.int32], shift: npt.NDArray[np.int32], outputs: int
) -> tuple[Struct, tuple[Constant, ...]]:
    """The struct "quantization" with a multiplier and a shift for each of `outputs`, left where it is positive."""
    constants = (
        Constant("multiplier", np.broadcast_to(multiplier, outputs).astype(np.int32)),
        Constant("shift", np.broadcast_to(shift, outputs).astype(np.int32)),
    )
    members = tuple((each.suffix, f"(int32_t *){context.name(each.suffix)}") for each in constants)
    return Struct("cmsis_nn_per_channel_quant_params", "quantization", members), constants


def window_members(window: Window, *, dilated: bool) -> tuple[tuple[str, str], ...]:
    """Stride and padding of a parameter struct, and where it has one, the dilation."""
    h, w = window.height, window.width
    dilation = (("dilation", tile(h.dilation, w.dilation)),) if dilated else ()
    return (("stride", tile(h.stride, w.stride)), ("padding", tile(h.padding, w.padding)), *dilation)


@dataclass(frozen=True, slots=True)
class Call:
    """A call: `arguments` are C expressions, and names of structs of the layer as "&suffix".

    `scratch` is (bytes, the arguments of the function that says so): the struct "context" then hands it to the call.
    """

    function: str
    arguments: Sequence[str]
    structs: tuple[Struct, ...] = ()
    constants: tuple[Constant, ...] = ()
    scratch: tuple[int, Sequence[str]] | None = None
    answers: bool = True  # with a status

    def code(self, context: Context) -> LayerCode:
        """The layer as C."""
        call, body, structs, needed = f"{self.function}({self._named(context, self.arguments)})", [], self.structs, 0
        if self.scratch is not None:
            needed, arguments = self.scratch
            size = f"{self.function}_get_buffer_size({self._named(context, arguments)})"
            body.append(f"MCU_CMSIS_NN_SCRATCH({size}, {needed});")
        if "&context" in self.arguments:
            buffer = context.scratch if needed else "0"
            structs = (Struct("cmsis_nn_context", "context", (("buf", buffer), ("size", str(needed)))), *structs)
        body.append(f"MCU_CMSIS_NN({call});" if self.answers else f"{call};")
        return LayerCode(
            body=tuple(body),
            kernels=(kernel(self.function, sized=self.scratch is not None),),
            constants=self.constants,
            structs=structs,
            scratch_bytes=needed,
        )

    @staticmethod
    def _named(context: Context, arguments: Sequence[str]) -> str:
        return ", ".join(f"&{context.name(each[1:])}" if each.startswith("&") else each for each in arguments)
