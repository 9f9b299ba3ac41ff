"""MEAN and SUM over any axes: the reference's integer algorithm (`QuantizedMeanOrSum` in internal/reference/reduce.h)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.codegen.strided_copy import row_major_steps
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.shapes import reduced_axes

_LOOPS = 3  # MCU_MEAN_LOOPS of mcu_mean.h; enough for every choice of axes up to six dimensions
_LARGEST_SUM = 2**30

_KERNEL = Kernel("mcu_mean_s8", "portable/mean_s8.c", "mcu_mean.h")
_WIDE_KERNEL = Kernel("mcu_mean_s16", "portable/mean_s16.c", "mcu_mean.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    axes = reduced_axes(Operation.of(context.graph, layer))
    elements = math.prod(source.shape[axis] for axis in axes)
    numbers, target = affine(layer, source), affine(layer, result)
    divisor = elements if layer.operator == "MEAN" else 1
    multiplier, shift = mean_multiplier(numbers.scale / target.scale, divisor)
    steps, kernel = (256, _KERNEL) if source.dtype == "int8" else (32768, _WIDE_KERNEL)
    if elements * steps > _LARGEST_SUM or shift > 30:
        raise unsupported(
            layer, f"a {layer.operator.lower()} of {elements} elements with scales {numbers.scale} and {target.scale}"
        )
    fields = (
        *loop_fields(layer, source.shape, axes),
        ("sum_offset", str(-numbers.zero_point * elements)),
        ("multiplier", str(multiplier)),
        ("right", str(-shift)),
        ("zero_point", str(target.zero_point)),
    )
    parameters = Struct("struct mcu_mean", "parameters", fields)
    call = f"{kernel.function}({context.write(result.index)}, {context.read(source.index)}, &{context.name('parameters')});"
    return LayerCode((call,), (kernel,), structs=(parameters,))


def mean_multiplier(real: float, elements: int) -> tuple[int, int]:
    """Fixed-point multiplier and shift for real / elements: the division truncates, after as many spare bits as fit."""
    multiplier, shift = quantize_multiplier(real)
    spare = min(elements.bit_length() - 1, 32, 31 + shift)
    return (multiplier << spare) // elements, shift - spare


def loop_fields(layer: Layer, shape: Sequence[int], axes: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """The members of struct mcu_mean and struct mcu_reduce that say how the input is walked. Raises ModelError."""
    reduced, kept = _loops(layer, shape, axes)
    return (
        ("kept_counts", _braced(count for count, _ in kept)),
        ("kept_steps", _braced(step for _, step in kept)),
        ("reduced_counts", _braced(count for count, _ in reduced)),
        ("reduced_steps", _braced(step for _, step in reduced)),
    )


def _loops(
    layer: Layer, shape: Sequence[int], axes: Sequence[int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(count, step in elements) of the loops over `axes` and over the others, neighbours merged, `_LOOPS` each."""
    loops: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    last = None
    for axis, (size, step) in enumerate(zip(shape, row_major_steps(shape, 1), strict=True)):
        if size == 1:
            continue
        group = axis in axes
        if group is last:
            size *= loops[group].pop()[0]
        loops[group].append((size, step))
        last = group
    if max(map(len, loops.values())) > _LOOPS:
        raise unsupported(layer, f"reducing axes {tuple(axes)} of {len(shape)} dimensions")
    reduced, kept = ([(1, 0)] * (_LOOPS - len(found)) + found for found in (loops[True], loops[False]))
    return reduced, kept


def _braced(values: Iterable[int]) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


EMITTERS = {
    "MEAN": emit,
    "SUM": emit,
}
