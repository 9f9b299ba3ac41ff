"""ADD and SUB in two multiplications: firmware/kernels/fitted/add_s8.c.

The reference scales both operands up, rounds each twice, adds, and rounds twice again. Over the 65,536 pairs of bytes the outcome
is nearly a plane cut into steps; two multipliers and an addend that cut it in the same places are searched among those
next to the ideal ones.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.c_text import integer
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, Unsuited
from mcu_harness.model.codegen.operators.arithmetic import HEADROOM_BITS, add_scaling, broadcast_loops
from mcu_harness.model.codegen.quantization import activation_range, affine
from mcu_harness.model.codegen.rounding import rounded_twice
from mcu_harness.model.graph import Layer

Int64s = npt.NDArray[np.int64]
Fit = tuple[int, int, int, int]

_SHIFTS = (20, 19, 21, 18, 22)
_AROUND = 12
_OPEN = 1 << 50
_KERNEL = Kernel("mcu_add_fitted_s8", "fitted/add_s8.c", "mcu_add_fitted.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    first, second, result = (context.tensor(index) for index in (*layer.inputs, layer.outputs[0]))
    if first.is_constant or second.is_constant or any(x.dtype != "int8" for x in (first, second, result)):
        raise Unsuited("an operand is constant or not int8")
    loops = broadcast_loops(first.shape, second.shape, result.shape)
    if len(loops) != 1 or loops[0].steps != (1, 1):
        raise Unsuited("an operand is broadcast")
    low, high = activation_range(layer, result)
    zero_points = tuple(affine(layer, tensor).zero_point for tensor in (first, second, result))
    sign = -1 if layer.operator == "SUB" else 1
    found = _fit(add_scaling(layer, context), zero_points, sign, low, high)
    if found is None:
        raise Unsuited("no two multipliers round as the reference for all pairs")
    members = (
        ("multiplier", f"{{{found[0]}, {found[1]}}}"),
        ("add", integer(found[2])),
        ("length", str(loops[0].count)),
        ("shift", str(found[3])),
        ("minimum", str(low)),
        ("maximum", str(high)),
    )
    operands = f"{context.write(result.index)}, {context.read(first.index)}, {context.read(second.index)}"
    return LayerCode(
        body=(f"mcu_add_fitted_s8({operands}, &{context.name('parameters')});",),
        kernels=(_KERNEL,),
        structs=(Struct("struct mcu_add_fitted", "parameters", members),),
    )


@lru_cache(maxsize=64)
def _fit(
    scaling: tuple[tuple[int, int], ...], zero_points: tuple[int, ...], sign: int, low: int, high: int
) -> Fit | None:
    """(first multiplier, second multiplier, addend, shift), or None where none was found."""
    first, second, out = scaling
    values = np.arange(-128, 128, dtype=np.int64)
    a = rounded_twice((values - zero_points[0]) << HEADROOM_BITS, *first)[:, None]
    b = sign * rounded_twice((values - zero_points[1]) << HEADROOM_BITS, *second)[None, :]
    wanted = np.clip(rounded_twice(a + b, *out) + zero_points[2], low, high)
    real = out[0] * 2.0 ** (out[1] - 31)
    near = sorted(product(range(-_AROUND, _AROUND + 1), repeat=2), key=lambda step: step[0] ** 2 + step[1] ** 2)
    for shift in _SHIFTS:
        ideal = [real * m * 2.0 ** (left - 31 + HEADROOM_BITS + shift) for m, left in (first, second)]
        over, under = (
            np.where(wanted > low, wanted << shift, -_OPEN),
            np.where(wanted < high, (wanted + 1) << shift, _OPEN),
        )
        for step in near:
            m0, m1 = round(ideal[0]) + step[0], sign * (round(ideal[1]) + step[1])
            plane = values[:, None] * m0 + values[None, :] * m1
            least, most = int((over - plane).max()), int((under - 1 - plane).min())
            if least <= most:
                add = (least + most) // 2
                if max(int(np.abs(plane).max()), int(np.abs(plane + add).max())) < 1 << 31:
                    return m0, m1, add, shift
    return None
