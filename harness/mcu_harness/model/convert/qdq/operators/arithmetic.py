"""Add, Sub, Mul, Div by constants, Min and Max, with broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.layouts import Order
from mcu_harness.model.convert.qdq.values import Quant, QuantConstant, Value

_CODES = {"Add": "ADD", "Sub": "SUB", "Mul": "MUL", "Div": "MUL", "Min": "MINIMUM", "Max": "MAXIMUM"}


@handler("Add", "Sub", "Mul", "Div", "Min", "Max")
def binary(importer: Importer, node: Any) -> None:
    """ADD, SUB, MUL; MINIMUM and MAXIMUM, whose operands must have the output's scale. A division is by a constant."""
    if len(node.input) != 2:
        raise importer.refusal(node, f"{len(node.input)} operands, expected 2")
    shape, code = importer.shape(node), _CODES[node.op_type]
    values = [importer.value(node, place) for place in (0, 1) if importer.is_value(node, place)]
    if not values:
        raise importer.no_value(node)
    lead = max(values, key=lambda value: (len(value.shape), np.prod(value.shape)))
    inherited = lead.quant if code in ("MINIMUM", "MAXIMUM") else None
    quant, activation, name = importer.quant_of(node, fuses=code in ("ADD", "SUB", "MUL"), inherited=inherited)
    order = lead.native if len(lead.shape) == len(shape) else tuple(range(len(shape)))
    operands = []
    for place in (0, 1):
        if importer.is_value(node, place):
            value = importer.value(node, place)
            if inherited is not None:
                value = importer.mover.requantised(value, quant, f"{importer.name(node)}/in_{place}")
            operands.append(_of_rank(importer, value, len(shape), order))
        else:
            operands.append(_constant(importer, node, place, len(shape), order, quant if inherited else None))
    result = importer.make(name, shape, quant, order)
    options = {"fusedActivationFunction": activation} if inherited is None else {}
    importer.writer.operator(code, operands, [result], **options)


def _of_rank(importer: Importer, value: Value, rank: int, order: Order) -> int:
    """The tensor of `value`, with dimensions of size 1 put in front, in `order`."""
    if len(value.shape) < rank:
        value = importer.mover.reshaped(value, (1,) * (rank - len(value.shape)) + value.shape, value.name)
    return importer.mover.get(value, order)


def _constant(importer: Importer, node: Any, place: int, rank: int, order: Order, wanted: Quant | None) -> int:
    found = importer.constant(node, place)
    if found is None:
        raise importer.no_value(node, place)
    if node.op_type == "Div":
        real = np.asarray(importer.real(node, place), np.float64)
        if place == 0 or (real == 0).any():
            raise importer.refusal(node, "a division by an activation or by zero", "multiply by the reciprocal")
        found = 1.0 / real
    if isinstance(found, QuantConstant) and not found.per_channel and found.values.dtype == np.int8 and wanted is None:
        values, quant = found.values, Quant(float(np.float32(found.scales[0])), int(found.zero_points[0]))
    else:
        real = found.real() if isinstance(found, QuantConstant) else np.asarray(found, np.float64)
        if not np.isfinite(real).all():
            raise importer.refusal(node, "a constant that is not finite")
        quant = wanted or _symmetric(real)
        values = quant.of(real)
        if not isinstance(found, QuantConstant) and node.op_type != "Div":
            importer.note(node, "its constant was float32: quantised with a scale of its own")
    full = values.reshape((1,) * (rank - values.ndim) + values.shape) if values.ndim <= rank else values
    if full.ndim != rank:
        raise importer.refusal(node, f"a constant of {full.ndim} dimensions for a result of {rank}")
    laid = np.ascontiguousarray(full.transpose(order))
    return importer.writer.constant(f"{importer.name(node)}/constant", laid, [quant.scale], [quant.zero_point])


def _symmetric(real: npt.NDArray[np.float64]) -> Quant:
    """A scale that has the largest of `real` at 127."""
    largest = float(np.abs(real).max(initial=0.0))
    return Quant(float(np.float32(largest / 127)) if largest else 1.0, 0)
