"""C functions that numba compiles, kept as object files: the next process loads them with LLVM alone.

To import numba and to let it load its own cache costs more than a short run does. The functions know addresses only and
raise nothing, so that what numba's runtime would do at an error is never called.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from mcu_harness.base.cache import BuildCache, default_root, digest
from mcu_harness.base.errors import HarnessError
from mcu_harness.hardware.arm import thumb

KIND = "hook"
_ENTRY = "mcu_harness_entry"  # what a function is called in its object file
_loaded: list[object] = []  # engines and functions: their code lives as long as they do


def addresses(folders: tuple[Path, ...], names: tuple[str, ...], make: Callable[[], Mapping[str, Any]]) -> list[int]:
    """The C addresses of the functions `names`, from the cache, or of the callbacks that `make` has numba compile.

    `folders` hold the Python code that they are compiled from; what was compiled of other code is not taken. Where
    the cache cannot be written, each process compiles.
    """
    key = code_digest(*folders)
    try:
        store = BuildCache(default_root())
    except HarnessError:  # no home directory
        store = None
    entries = [store.entry(KIND, digest([key, name])) for name in names] if store else []
    if store and all(store.has(entry) for entry in entries):
        return [_load(entry.read_bytes()) for entry in entries]
    made = make()
    _loaded.append(made)
    if store:
        _keep(store, {entry: made[name] for entry, name in zip(entries, names, strict=True)})
    return [int(made[name].address) for name in names]


@cache
def code_digest(*folders: Path) -> str:
    """Of the code in `folders` and in this one, of the libraries that compile it, and of the processor it is for."""
    parts: list[str | bytes] = [
        llvmlite.__version__,
        version("numba"),
        llvm.get_default_triple(),
        _processor(),
        _features(),
    ]
    for folder in (Path(__file__).parent, *folders):
        parts += [path.read_bytes() for path in sorted(folder.glob("*.py"))]
    return digest([*parts, Path(thumb.__file__).read_bytes()])


def _processor() -> str:
    return str(llvm.get_host_cpu_name())


def _features() -> str:
    return str(llvm.get_host_cpu_features().flatten())


def _machine() -> Any:
    """For this processor; an engine takes over the one that it is given."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=_processor(), features=_features(), opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


def _keep(store: BuildCache, made: Mapping[Path, Any]) -> None:
    try:
        with store.scratch() as scratch:
            for entry, function in made.items():
                path = scratch / entry.name
                path.write_bytes(_object_of(function.inspect_llvm()))
                store.publish(path, entry)
    except (HarnessError, OSError):
        pass  # the next process compiles again


def _object_of(code: str) -> bytes:
    """An object file of LLVM's code of a numba callback; its first line has the names that it wants from outside."""
    module = llvm.parse_assembly(code)
    (entry,) = (each for each in module.functions if each.name.startswith("cfunc.") and not each.is_declaration)
    entry.name = _ENTRY
    outside = [
        each.name
        for each in (*module.functions, *module.global_variables)
        if each.is_declaration and not each.name.startswith("llvm.")
    ]
    return json.dumps(outside).encode() + b"\n" + bytes(_machine().emit_object(module))


def _load(kept: bytes) -> int:
    """The address of the function in what `_object_of` made."""
    names, _, code = kept.partition(b"\n")
    for name in json.loads(names):
        if llvm.address_of_symbol(name) is None:
            llvm.add_symbol(name, _address_of_abort())
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _loaded.append(engine)
    return int(engine.get_function_address(_ENTRY))


@cache
def _address_of_abort() -> int:
    """What stands for numba's runtime, which only an exception would call."""
    return ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value or 0
