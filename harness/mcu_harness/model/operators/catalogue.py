"""Every operator that is supported, by name: the rows of the modules in this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from mcu_harness.model import operators
from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operation import Operation, Shape
from mcu_harness.model.operators.operator import Operator


def _rows() -> dict[str, Operator]:
    modules = (
        import_module(f"{operators.__name__}.{module.name}")
        for module in iter_modules(operators.__path__)
        if module.name != "catalogue"
    )
    rows = [row for module in modules for row in getattr(module, "OPERATORS", ())]
    return {row.name: row for row in sorted(rows, key=lambda row: row.name)}


OPERATORS = _rows()


def output_shapes(graph: Graph, layer: Layer) -> tuple[Shape, ...]:
    """The shapes that `layer`'s outputs must have; raises ShapeError when its inputs make no sense."""
    return OPERATORS[layer.operator].shapes(Operation.of(graph, layer))


def computes_in(graph: Graph, layer: Layer) -> str:
    """The type in which the layer computes; "" for an operator that is not known."""
    operator = OPERATORS.get(layer.operator)
    return operator.computes_in(Operation.of(graph, layer).inputs) if operator is not None else ""


def is_wide(graph: Graph, layer: Layer) -> bool:
    """Whether the layer computes in int16."""
    return computes_in(graph, layer) == "int16"


def macs(graph: Graph, layer: Layer) -> int:
    """Multiply-accumulates for one inference of a layer that was checked."""
    return OPERATORS[layer.operator].macs(Operation.of(graph, layer))
