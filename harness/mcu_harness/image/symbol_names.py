"""Names of functions as people write them.

C++ and Rust names are demangled, without parameters where that says enough. `static` functions of one name are told
apart by their source file, as in "conv.cc:EvalInt8". Names come from files of users: untrusted text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from mcu_harness.base.text import one_line
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbols import is_clone_of

_MANGLED = ("_Z", "_R")
_IN_FILE = re.compile(r"(?P<file>[^:]+\.[A-Za-z+]+):(?!:)(?P<name>.+)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
# Parts of a readable name that its mangled form does not spell out.
_ABBREVIATED = re.compile(r"std::|operator|anonymous|\{")


@lru_cache(maxsize=1 << 16)
def readable(name: str) -> str:
    """The qualified name without parameters, with GCC's suffix of a clone; `name` where it is not mangled."""
    return _demangled(name, in_full=False)


@lru_cache(maxsize=1 << 12)
def in_full(name: str) -> str:
    """As `readable`, with parameters."""
    return _demangled(name, in_full=True)


def _demangled(name: str, in_full: bool) -> str:
    if not name.startswith(_MANGLED):
        return name
    # Late: most firmware has no such names.
    import demangle

    head, dot, clone = name.partition(".")
    try:
        parts = demangle.signature(head)
    except demangle.DemanglingError:
        return name
    said = parts.demangled if in_full or not parts.qualified_name or parts.special else parts.qualified_name
    return said + dot + clone


def titles(program: Program, functions: Iterable[Symbol]) -> dict[int, str]:
    """A name to show for each of `functions`, by address: as short as tells them apart."""
    by_address = {function.address: function for function in functions}
    found = {address: readable(function.name) for address, function in by_address.items()}
    for way in (in_full, None):
        count = Counter(found.values())
        for address, function in by_address.items():
            if count[found[address]] == 1 and not program.is_shared_name(function.name):
                continue
            if way is not None:
                found[address] = way(function.name)
            elif function.file:
                found[address] = f"{function.file}:{readable(function.name)}"
    return {address: one_line(name) for address, name in found.items()}


def matching(functions: Sequence[Symbol], pattern: str) -> list[Symbol]:
    """The functions that a shell pattern names: by symbol (or the symbol of a changed copy) or readable name, and as FILE:NAME for `static` ones."""
    file = "*"
    if split := _IN_FILE.fullmatch(pattern):
        file, pattern = split["file"], split["name"]
    words = [] if _ABBREVIATED.search(pattern) else _WORD.findall(pattern.replace("*", " ").replace("?", " "))

    def matches(function: Symbol) -> bool:
        if file != "*" and not fnmatchcase(function.file.rpartition("/")[2], file):
            return False
        if fnmatchcase(function.name, pattern) or is_clone_of(function.name, pattern):
            return True
        # Demangling takes a while: only what can match.
        mangled = function.name.startswith(_MANGLED) and all(word in function.name for word in words)
        return mangled and fnmatchcase(readable(function.name).partition(".")[0], pattern)

    return [function for function in functions if matches(function)]
