"""Every operator that can be turned into C, and the function that does it: `EMITTERS` of the modules in `operators/`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from mcu_harness.model.codegen import operators
from mcu_harness.model.codegen.layer import Emitter


def _found() -> dict[str, Emitter]:
    modules = [import_module(f"{operators.__name__}.{module.name}") for module in iter_modules(operators.__path__)]
    return {name: emitter for module in modules for name, emitter in getattr(module, "EMITTERS", {}).items()}


EMITTERS = _found()
