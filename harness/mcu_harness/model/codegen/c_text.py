"""Numbers and declarations as C text. Nothing here takes text from a model file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.layer import C_TYPES, Constant, Struct

_LINE_CHARACTERS = 110
_INT32_MIN = -(2**31)
# From this size on an array is written as a string: compilers take 15 times less time, and a third of the memory, for the same object.
# Shorter ones stay readable.
_LONG_BYTES = 4096
_BYTES_A_LINE = 32
_ESCAPES = tuple(f"\\{value:o}" for value in range(256))  # a backslash follows, or the end, and never a digit


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


def _is_string(constant: Constant) -> bool:
    return constant.data.nbytes >= _LONG_BYTES


def of_strings(constants: Iterable[Constant]) -> list[str]:
    """What has to stand before the definitions of `constants`: that compilers need not warn of long strings without an end."""
    if not any(map(_is_string, constants)):
        return []
    return [
        '#pragma GCC diagnostic ignored "-Woverlength-strings"',
        "#if defined(__clang__) ? __clang_major__ >= 21 : __GNUC__ >= 15",
        '#pragma GCC diagnostic ignored "-Wunterminated-string-initialization"',
        "#endif",
        "/* Arrays of bytes under the names of arrays that have wider elements, which are in this order on every core: the lowest byte first. */",
        "#define MCU_TEXT(x) #x",
        "#define MCU_PREFIX(x) MCU_TEXT(x)",
        "#define MCU_NAMED(name) __asm__(MCU_PREFIX(__USER_LABEL_PREFIX__) name)",
        "",
    ]


def _string(data: npt.NDArray[np.generic]) -> str:
    """The bytes of `data` as string literals, one after the other, without an end."""
    raw = data.astype(data.dtype.newbyteorder("<")).tobytes()
    lines = (raw[at : at + _BYTES_A_LINE] for at in range(0, len(raw), _BYTES_A_LINE))
    return "\n".join(f'    "{"".join([_ESCAPES[byte] for byte in line])}"' for line in lines)


def constant_declaration(symbol: str, constant: Constant) -> str:
    return f"extern const {constant.c_type} {symbol}_{constant.suffix}[{constant.data.size}];"


def constant_definition(symbol: str, constant: Constant) -> str:
    name = f"{symbol}_{constant.suffix}"
    attribute = f"__attribute__((aligned({constant.alignment})))"
    start = f"const {constant.c_type} {name}[{constant.data.size}] {attribute} ="
    if _is_string(constant):
        if constant.data.dtype.itemsize > 1:
            start = f'const char {name}_bytes[{constant.data.nbytes}] MCU_NAMED("{name}") {attribute} ='
        return f"{start}\n{_string(constant.data)};"
    return f"{start} {{\n{_wrapped(_elements(constant.data))}\n}};"


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
