"""Every operator that can be turned into C, and the function that does it: `EMITTERS` of the modules in `operators/`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from mcu_harness.model.codegen import operators
from mcu_harness.model.codegen.layer import Emitter


def _found(table: str) -> dict[str, Emitter]:
    modules = [import_module(f"{operators.__name__}.{module.name}") for module in iter_modules(operators.__path__)]
    return {name: emitter for module in modules for name, emitter in getattr(module, table, {}).items()}


EMITTERS = _found("EMITTERS")
# For layers of models that were uint8, where they compute otherwise.
LEGACY_EMITTERS = _found("LEGACY_EMITTERS")
# For layers that compute in int16: what only moves elements is emitted as for int8.
WIDE_EMITTERS = {**EMITTERS, **_found("WIDE_EMITTERS")}
# For layers of plain numbers, int32 and float32, likewise.
PLAIN_EMITTERS = {**EMITTERS, **_found("PLAIN_EMITTERS")}
