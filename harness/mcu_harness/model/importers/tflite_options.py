"""Reads the options of an operator from a .tflite file, as its row in `model/operators` says."""

from __future__ import annotations

from mcu_harness.model.flatbuffer import Table
from mcu_harness.model.graph import Attribute
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.operators.options import Option, OptionTable, options

_CODES: dict[type, str] = {bool: "?", int: "i", float: "f"}

OPTIONS: dict[str, OptionTable] = {
    **{name: operator.options for name, operator in OPERATORS.items()},
    # These become state tensors (variables.py).
    "VAR_HANDLE": options(111, Option("container", 0, ""), Option("shared_name", 1, "")),
    "CALL_ONCE": options(103, Option("init_subgraph_index", 0)),
    # This one only ever folds away (model/fold.py).
    "SHAPE": options(55),
}


def read_options(wanted: OptionTable, table: Table | None) -> dict[str, Attribute]:
    """Options from `table`, or the defaults for None."""
    return {option.attribute: option.default if table is None else _read(option, table) for option in wanted.options}


def _read(option: Option, table: Table) -> Attribute:
    """The option's value. Unknown enumeration values become "value 17", which no check accepts."""
    if option.names:
        value = table.number(option.field, "b", 0)
        return option.names[value] if 0 <= value < len(option.names) else f"value {value}"
    if isinstance(option.default, tuple):
        return tuple(table.numbers(option.field, "<i4").tolist())
    if isinstance(option.default, str):
        return table.text(option.field)
    return table.number(option.field, _CODES[type(option.default)], option.default)
