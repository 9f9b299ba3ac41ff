"""Numbers and declarations as C text. Nothing here takes text from a model file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.layer import C_TYPES, Constant, Struct

_LINE_CHARACTERS = 110
_INT32_MIN = -(2**31)


def integer(value: int) -> str:
    """A C constant expression of type int (or int64_t beyond it), also for the most negative numbers."""
    if value == _INT32_MIN:
        return "(-2147483647 - 1)"
    if _INT32_MIN < value < 2**31:
        return str(value)
    if value == -(2**63):
        return "(-INT64_C(9223372036854775807) - 1)"
    return f"INT64_C({value})"


def floating(value: float) -> str:
    """A C constant of type float with the same bits (value must be finite)."""
    return f"{float(np.float32(value)).hex()}f"


def _elements(data: npt.NDArray[np.generic]) -> Iterator[str]:
    flat = data.reshape(-1)
    if data.dtype == np.float64:
        return (value.hex() for value in flat.tolist())
    if data.dtype.kind == "f":
        return (floating(value) for value in flat.tolist())
    if data.dtype.kind == "b":
        return (str(int(value)) for value in flat.tolist())
    if data.dtype.itemsize < 4:
        return map(str, flat.tolist())
    return (integer(value) for value in flat.astype(np.int64).tolist())


def _wrapped(items: Iterable[str]) -> str:
    lines: list[str] = []
    line = ""
    for item in items:
        if line and len(line) + len(item) > _LINE_CHARACTERS:
            lines.append(line)
            line = ""
        line += item + ","
    lines.append(line)
    return "\n".join(f"    {line}" for line in lines)


def constant_declaration(symbol: str, constant: Constant) -> str:
    return f"extern const {constant.c_type} {symbol}_{constant.suffix}[{constant.data.size}];"


def constant_definition(symbol: str, constant: Constant) -> str:
    name = f"{symbol}_{constant.suffix}"
    attribute = f"__attribute__((aligned({constant.alignment})))"
    return f"const {constant.c_type} {name}[{constant.data.size}] {attribute} = {{\n{_wrapped(_elements(constant.data))}\n}};"


def state_definition(name: str, initial: npt.NDArray[np.generic]) -> str:
    """The array of a state: zeros need no initial value in flash."""
    start = f"{C_TYPES[initial.dtype.name]} {name}[{initial.size}] __attribute__((aligned(4)))"
    return f"{start} = {{\n{_wrapped(_elements(initial))}\n}};" if initial.any() else f"{start};"


def struct_definition(symbol: str, struct: Struct) -> str:
    if struct.rows:
        rows = "\n".join(f"    {{{', '.join(row)}}}," for row in struct.rows)
        return f"static const {struct.c_type} {symbol}_{struct.suffix}[{len(struct.rows)}] = {{\n{rows}\n}};"
    members = "\n".join(f"    .{member} = {expression}," for member, expression in struct.fields)
    return f"static const {struct.c_type} {symbol}_{struct.suffix} = {{\n{members}\n}};"
