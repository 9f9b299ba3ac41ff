"""An operator's options in a .tflite file, as data: which options table it has, and the fields that are taken.

Numbers of fields and of options tables are the schema's; a test writes every option with LiteRT's own schema and reads it here.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.model.graph import Attribute
from mcu_harness.model.tflite_schema import ACTIVATIONS, PADDINGS, TENSOR_TYPES

NO_OPTIONS = 0


@dataclass(frozen=True, slots=True)
class Option:
    """`attribute` is the name in Layer.attributes, `field` its number in the options table.

    `names` are those of an enumeration's values; `default` is the schema's, for what a file leaves out. A tuple is a
    vector of int32, a str without `names` a string.
    """

    attribute: str
    field: int
    default: Attribute = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OptionTable:
    """An operator's options: the table's number in the union, and the fields that are taken."""

    kind: int
    options: tuple[Option, ...]


def options(kind: int, *fields: Option) -> OptionTable:
    return OptionTable(kind, fields)


def padding() -> Option:
    return Option("padding", 0, "SAME", PADDINGS)


def activation(field: int) -> Option:
    return Option("fused_activation", field, "NONE", ACTIVATIONS)


def bias_type(field: int) -> Option:
    """Of int16 activations: LiteRT reads every bias as int64 that is not named int32 here."""
    return Option("quantized_bias_type", field, "float32", TENSOR_TYPES)


def strides() -> tuple[Option, Option]:
    return Option("stride_w", 1), Option("stride_h", 2)
