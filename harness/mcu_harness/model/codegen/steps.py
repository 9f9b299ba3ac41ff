"""What kernel sets share: staircases as C, variants of kernels, weights as halves of words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, Unsuited
from mcu_harness.model.codegen.quantization import Sums, activation_range, affine
from mcu_harness.model.codegen.staircase import Outputs, Staircases, double_rounding, single_rounding
from mcu_harness.model.graph import Layer

Int64s = npt.NDArray[np.int64]

FACTOR = 256


@dataclass(frozen=True, slots=True)
class Steps:
    """How the sums of a layer become outputs: `filters` and `bias` (of 1-fold sums) with constant channels zeroed.

    `variant` is the suffix of the kernel function that does what these need. `table` is the C array for `steps`, `stride` 0 where
    all channels climb the same.
    """

    filters: npt.NDArray[np.int8]
    bias: Int64s
    table: Struct
    stride: int
    outputs: Outputs
    variant: str

    @property
    def members(self) -> tuple[tuple[str, str], ...]:
        return (
            ("step_stride", str(self.stride)),
            ("minimum", str(self.outputs.low)),
            ("maximum", str(self.outputs.high)),
        )

    def padded(self, group: int) -> Steps:
        """With the last steps again for channels that are missing in the last group."""
        missing = -len(self.filters) % group if self.stride else 0
        return replace(self, table=replace(self.table, rows=(*self.table.rows, *self.table.rows[-1:] * missing)))


def twice_rounded(layer: Layer, context: Context, sums: Sums) -> Steps:
    """For convolutions. Raises Unsuited where no staircase gives the reference's outputs."""
    multiplier, shift = (np.broadcast_to(values, len(sums.filters)).tolist() for values in sums.multipliers(layer))
    outputs = _outputs(layer, context)
    if any(reach << max(left, 0) >= 1 << 31 for reach, left in zip(sums.reach.tolist(), shift, strict=True)):
        raise Unsuited("sums times their scales wrap at 32 bits")
    rights = [-left for left in shift]
    stairs = double_rounding(multiplier, rights, sums.least.tolist(), sums.most.tolist(), outputs)
    return _steps(sums, stairs, outputs)


def once_rounded(layer: Layer, context: Context, sums: Sums) -> Steps:
    """For FULLY_CONNECTED, whose units share one staircase where they share one scale."""
    outputs = _outputs(layer, context)
    multiplier, shift = sums.fixed_point()
    least, most = sums.least, sums.most
    if len(sums.scales) == 1:
        least, most = least.min(keepdims=True), most.max(keepdims=True)
    rights = (-shift.astype(np.int64)).tolist()
    stairs = single_rounding(sums.scales, multiplier.tolist(), rights, least.tolist(), most.tolist(), outputs)
    return _steps(sums, stairs, outputs)


def dense_code(
    layer: Layer, context: Context, steps: Steps, kernel: Kernel, filters: Constant, bias: Int64s
) -> LayerCode:
    """A call of a kernel `mcu_fully_connected_<set>_s8` in the variant that `steps` need, with its parameters."""
    name = kernel.function.removesuffix("_s8")
    units, depth = steps.filters.shape
    members = (
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("rows", str(context.tensor(layer.inputs[0]).elements // depth)),
        ("depth", str(depth)),
        ("units", str(units)),
        *steps.members,
    )
    pointers = f"{context.write(layer.outputs[0])}, {context.read(layer.inputs[0])}, &{context.name('parameters')}"
    return LayerCode(
        body=(f"{name}{steps.variant}_s8({pointers});",),
        kernels=(kernel,),
        constants=(filters, bias_constant(bias)),
        structs=(steps.table, Struct(f"struct {name}", "parameters", members)),
    )


def _outputs(layer: Layer, context: Context) -> Outputs:
    result = context.tensor(layer.outputs[0])
    return Outputs(affine(layer, result).zero_point, *activation_range(layer, result))


def _steps(sums: Sums, stairs: Staircases, outputs: Outputs) -> Steps:
    live = ~np.broadcast_to(stairs.constant, len(sums.filters))
    filters = np.where(live[:, None], sums.filters, 0).astype(np.int8)
    bias = np.where(live, sums.bias, 0).astype(np.int64)
    limited = outputs.low > -128 or outputs.high < 127
    variant = "_limits" if limited else "_signs" if stairs.below_zero.any() else ""
    columns = (stairs.multiplier, stairs.add, stairs.below_zero, stairs.shift)
    rows = sorted(set(zip(*(column.tolist() for column in columns), strict=True)))
    same = len(rows) == 1
    rows = rows if same else list(zip(*(column.tolist() for column in columns), strict=True))
    table = Struct("struct mcu_staircase", "steps", rows=tuple(tuple(map(str, row)) for row in rows))
    return Steps(filters, bias, table, int(not same), outputs, variant)


def words_of_halves(first: Int64s, second: Int64s) -> npt.NDArray[np.int32]:
    """Words with `first` in their lower and `second` in their upper half, both of the same shape, 16 bits each."""
    halves = np.stack([first, second], axis=-1)
    if halves.size and (halves.min() < -(1 << 15) or halves.max() >= 1 << 15):
        raise Unsuited("two weights of -128 beside each other do not fit into 16 bits")
    return np.ascontiguousarray(halves.astype(np.int16)).view(np.int32)[..., 0]


def bias_constant(bias: Int64s) -> Constant:
    """What sums begin with; it fits 32 bits as sums do, or wraps as 256-fold ones may."""
    return Constant("bias", ((bias + (1 << 31)) % (1 << 32) - (1 << 31)).astype(np.int32))


def call(context: Context, layer: Layer, function: str) -> str:
    """The statement that calls a kernel with output, first input, the struct "parameters" and scratch."""
    scratch = f"(int32_t *)(void *){context.scratch}"
    output, source = context.write(layer.outputs[0]), context.read(layer.inputs[0])
    return f"{function}({output}, {source}, &{context.name('parameters')}, {scratch});"
