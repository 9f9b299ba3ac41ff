"""Which cores have a cycle table: those of `hardware/core.py` for which there is a module in `cores/`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from mcu_harness.analysis.profile.cycles import cores
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable
from mcu_harness.hardware.core import CORES


def module_name(core: str) -> str:
    """What the module with the cycles of `core` is called."""
    return core.replace("-", "_").replace("+", "plus")


def _found() -> dict[str, Callable[[int], CycleTable]]:
    there = {module.name for module in iter_modules(cores.__path__)}
    return {
        core: import_module(f"{cores.__name__}.{module_name(core)}").table
        for core in CORES
        if module_name(core) in there
    }


# By core; what each takes is the cycles of the multiplier that a board's core was built with.
CYCLE_TABLES = _found()
