"""Known inference runtimes: where an inference begins in them, and which of their functions are operators.

What there is to know of each is data, in `profile/runtimes/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.base import toml_reader
from mcu_harness.base.errors import ElfError, ScenarioError
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbol_names import matching, readable

DIRECTORY = Path(__file__).parent / "runtimes"


@dataclass(frozen=True, slots=True)
class Runtime:
    """`kernels` and `exceptions` are shell patterns of symbols; `operators` are names by source file.

    `affixes` are what names of kernels have beside the operator's, as Eval and Int8 in EvalAddInt8.
    """

    name: str
    title: str
    source: str
    begin: str
    kernels: tuple[str, ...]
    exceptions: tuple[str, ...]
    operators: dict[str, str]
    affixes: tuple[str, ...]


def runtime_names(directory: Path = DIRECTORY) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in directory.glob("*.toml")))


def find_runtime(name: str, directory: Path = DIRECTORY) -> Runtime:
    """The runtime of that name; ScenarioError where there is none."""
    known = runtime_names(directory)
    if name not in known:
        raise ScenarioError(f"layers: no runtime is called {name!r}", hint="known: " + ", ".join(known))
    top = toml_reader.load(directory / f"{name}.toml", ScenarioError)
    operators = top.needed_table("operators")
    runtime = Runtime(
        name=name,
        title=top.text("title"),
        source=top.text("source"),
        begin=top.text("begin"),
        kernels=top.texts("kernels"),
        exceptions=top.texts("except", ()),
        affixes=top.texts("affixes", ()),
        operators={file: operators.text(file) for file in operators.names()},
    )
    operators.done()
    top.done()
    return runtime


def runtimes_in(program: Program) -> list[Runtime]:
    """The known runtimes of which `program` has the function where an inference begins."""
    functions = [symbol for symbol in program.symbols if symbol.kind == "function"]
    runtimes = map(find_runtime, runtime_names())
    return [runtime for runtime in runtimes if matching(functions, runtime.begin)]


def runtime_parts(runtime: Runtime, program: Program) -> tuple[CodeRegion, ...]:
    """A part for each kernel in `program`; ElfError where it holds none."""
    functions = [symbol for symbol in program.symbols if symbol.kind == "function" and symbol.size]
    kernels = {
        symbol.address: symbol
        for pattern in runtime.kernels
        for symbol in matching(functions, pattern)
        if not any(fnmatchcase(symbol.name, exception) for exception in runtime.exceptions)
    }
    if not kernels:
        raise ElfError(
            f"{program.path}: no operator of {runtime.title} is in it",
            hint="they are told by their symbols: do not strip the ELF, or name regions yourself",
        )
    return tuple(
        CodeRegion(_operator(runtime, symbol), "", frozenset({address}), each_call=True, kernel=True)
        for address, symbol in sorted(kernels.items())
    )


def _operator(runtime: Runtime, symbol: Symbol) -> str:
    stem = PurePosixPath(symbol.file).stem
    if not stem:  # not `static`: told by its own name
        around, _, name = readable(symbol.name).partition(".")[0].rpartition("::")
        core = name
        for affix in runtime.affixes:
            core = core.replace(affix, "")
        # Eval alone: a namespace an operator, as TensorFlow Lite Micro had them until 2021, and who took it over then.
        core = core or around.rpartition("::")[2] or name
        stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", core).lower()
    return runtime.operators.get(stem, stem.upper())
