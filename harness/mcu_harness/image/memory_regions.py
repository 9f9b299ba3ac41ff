"""Memories as a linker script has them: GNU ld's MEMORY (ld manual, 3.7) and IAR's and SEGGER's `define region` (.icf).

A script is untrusted text: expressions are numbers, names and arithmetic, and everything is bounded.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import read_bounded
from mcu_harness.base.text import one_line
from mcu_harness.hardware.board import Memory

_MOST_BYTES = 4 << 20  # of a script; those of vendors have some kilobytes
_MOST_EXPRESSION = 500
_ADDRESS_SPACE = 1 << 32
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_NUMBER = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)([kKmMgG])?\b")
_MEMORY = re.compile(r"\bMEMORY\s*\{([^}]*)\}")
_REGION = re.compile(
    r"([A-Za-z_][\w.$-]*)\s*(?:\(([^)]*)\))?\s*:\s*(?:ORIGIN|origin|org|o)\s*=\s*([^,]+?)\s*,\s*"
    r"(?:LENGTH|length|len|l)\s*=\s*([^\n]+?)\s*(?=$|\n|[A-Za-z_][\w.$-]*\s*(?:\([^)]*\))?\s*:)",
)
_ASSIGNMENT = re.compile(r"^\s*(?:PROVIDE\s*\(\s*)?([A-Za-z_.$][\w.$]*)\s*=\s*([^;]+?)\s*\)?\s*;", re.MULTILINE)
_INCLUDE = re.compile(r"^\s*INCLUDE\s+\"?([^\s\";]+)\"?", re.MULTILINE)
_SYMBOL = re.compile(r"\bdefine\s+(?:exported\s+)?symbol\s+(\w+)\s*=\s*([^;]+);")
_ICF_REGION = re.compile(r"\bdefine\s+region\s+(\w+)\s*=\s*([^;]+);")
_ICF_RANGE = re.compile(r"\w+\s*:\s*\[\s*from\s+(.+?)\s+(to|size)\s+(.+?)\s*\]")
_RAM_NAME = re.compile(r"ram|tcm|ccm|heap|stack", re.IGNORECASE)
_SUFFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.FloorDiv: operator.floordiv,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.LShift: lambda a, b: a << min(max(b, 0), 40),
    ast.RShift: lambda a, b: a >> min(max(b, 0), 64),
}


class LinkerScriptError(HarnessError):
    """A linker script that cannot be read, or has no memories."""


@dataclass(frozen=True, slots=True)
class MemoryRegions:
    """The memories of a linker script, by address; they take the place of a board's for a footprint."""

    memories: tuple[Memory, ...]

    def memory(self, name: str) -> Memory:
        return next(memory for memory in self.memories if memory.name == name)


def read_memory_regions(path: Path, symbols: Mapping[str, str] | None = None) -> MemoryRegions:
    """The memories in the linker script `path`: IAR or SEGGER where it is an .icf, GNU ld otherwise.

    `symbols` gives values that the script leaves open, as `--defsym` of the linker does. Raises LinkerScriptError.
    """
    text = _text(path, depth=0)
    values = dict(symbols or {})
    found = _icf(path, text, values) if path.suffix.lower() == ".icf" else _gnu(path, text, values)
    if not found:
        raise LinkerScriptError(
            f"{path}: no memory regions in it",
            hint="give the script with MEMORY { ... }, or an .icf with `define region`",
        )
    return MemoryRegions(tuple(sorted(found, key=lambda memory: memory.origin)))


def _text(path: Path, depth: int) -> str:
    """The script without comments, with what it includes (looked for beside it)."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LinkerScriptError(f"{path}: larger than a linker script can be", hint="give the script, not the map")
        text = _COMMENT.sub(" ", read_bounded(path, _MOST_BYTES).decode("utf-8", errors="replace"))
    except OSError as cause:
        raise LinkerScriptError(f"{path}: cannot be read: {cause.strerror}") from cause
    if depth >= 8:
        return text

    def included(match: re.Match[str]) -> str:
        other = path.parent / match[1]
        return _text(other, depth + 1) if other.is_file() else ""

    return _INCLUDE.sub(included, text)


def _gnu(path: Path, text: str, values: dict[str, str]) -> list[Memory]:
    for name, expression in _ASSIGNMENT.findall(_MEMORY.sub("", text)):
        values.setdefault(name, expression)
    known: dict[str, Memory] = {}
    for block in _MEMORY.findall(text):
        for name, attributes, origin, length in _REGION.findall(block):
            start = _Expression(path, name, values, known).value(origin)
            size = _Expression(path, name, values, known).value(length)
            known[name] = _memory(path, name, start, size, attributes or "")
    return list(known.values())


def _icf(path: Path, text: str, values: dict[str, str]) -> list[Memory]:
    for name, expression in _SYMBOL.findall(text):
        values.setdefault(name, expression)
    found = []
    for name, ranges in _ICF_REGION.findall(text):
        short = re.sub(r"_region$", "", name)
        for nth, (start, kind, end) in enumerate(_ICF_RANGE.findall(ranges), start=1):
            evaluate = _Expression(path, name, values, {}).value
            origin, last = evaluate(start), evaluate(end)
            size = last if kind == "size" else last + 1 - origin
            if size > 0:  # vendors leave unused regions as [from 0 to 0] or backwards
                found.append(_memory(path, short if nth == 1 else f"{short}_{nth}", origin, size, ""))
    return [memory for memory in found if memory.size > 1]


def _memory(path: Path, name: str, origin: int, size: int, attributes: str) -> Memory:
    if origin < 0 or size <= 0 or origin + size > _ADDRESS_SPACE:
        raise LinkerScriptError(f"{path}: {name} does not lie within the 4 GiB address space, or is empty")
    wanted, _, unwanted = attributes.lower().partition("!")
    if attributes:
        writable = "w" in wanted and "w" not in unwanted
    else:
        writable = bool(_RAM_NAME.search(name)) or 0x20000000 <= origin < 0x40000000
    return Memory(
        name=one_line(name),
        kind="ram" if writable else "flash",
        origin=origin,
        size=size,
        wait_states=0,
        fetch_bytes=4,
        cache="none",
        cache_bytes=0,
        cache_line_bytes=0,
        cache_ways=0,
        data_cache_bytes=0,
        alias_of="",
    )


class _Expression:
    """Evaluates what stands behind `=` for one region; errors name it."""

    def __init__(self, path: Path, region: str, values: Mapping[str, str], known: Mapping[str, Memory]) -> None:
        self._path = path
        self._region = one_line(region)
        self._values = values
        self._known = known
        self._under_way: set[str] = set()

    def value(self, text: str) -> int:
        if len(text) > _MOST_EXPRESSION:
            raise self._error("an expression that is too long")
        plain = _NUMBER.sub(lambda m: str(int(m[1], 0) * _SUFFIXES.get((m[2] or "").lower(), 1)), _decimal(text))
        try:
            return self._node(ast.parse(plain.strip(), mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError, ZeroDivisionError) as cause:
            raise self._error(f"cannot read {one_line(text)!r}") from cause

    def _node(self, node: ast.AST) -> int:
        match node:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return value
            case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATORS:
                result = _OPERATORS[type(operation)](self._node(left), self._node(right))
                if abs(result) > 1 << 64:
                    raise self._error("a number beyond 64 bits")
                return result
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._node(operand)
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=region)]) if name.upper() in ("ORIGIN", "LENGTH"):
                if region not in self._known:
                    raise self._error(f"{name}({one_line(region)}), which is not defined before it")
                memory = self._known[region]
                return memory.origin if name.upper() == "ORIGIN" else memory.size
            case ast.Name(id=name):
                return self._symbol(name)
        raise self._error("an expression that is not plain arithmetic")

    def _symbol(self, name: str) -> int:
        if name not in self._values:
            raise LinkerScriptError(
                f"{self._path}: {self._region}: {one_line(name)!r} is not defined in the script",
                hint=f"give it as the linker gets it: --defsym {one_line(name)}=VALUE",
            )
        if name in self._under_way:
            raise self._error(f"{one_line(name)!r} is defined by itself")
        self._under_way.add(name)
        try:
            return self.value(self._values[name])
        finally:
            self._under_way.discard(name)

    def _error(self, problem: str) -> LinkerScriptError:
        return LinkerScriptError(f"{self._path}: {self._region}: {problem}", hint="write numbers, names and arithmetic")


def _decimal(text: str) -> str:
    """`text` with octal-looking numbers as Python reads them; ld takes a leading 0 as octal too."""
    return re.sub(r"\b0(\d+)\b", lambda m: str(int(m[1], 8)) if set(m[1]) <= set("01234567") else m[1], text)


def parse_symbols(given: list[str]) -> dict[str, str]:
    """NAME=VALUE as on the linker's command line; raises LinkerScriptError."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_.$][\w.$]*", name):
            raise LinkerScriptError(f"--defsym {one_line(text)!r}: not NAME=VALUE")
        found[name] = value
    return found


def _area(name: str, kind: str, start: int, end: int) -> Memory:
    attributes = "rw" if kind == "ram" else "rx"
    return _memory(Path("address map"), name, start, end - start, attributes)


# Where code and data can lie on any Cortex-M (Armv7-M ARM, DDI 0403, B3.1), for images of which nothing else is known.
ADDRESS_MAP = MemoryRegions(
    (
        _area("code", "flash", 0, 0x20000000),
        _area("sram", "ram", 0x20000000, 0x40000000),
        _area("external", "flash", 0x60000000, 0xA0000000),
    )
)
