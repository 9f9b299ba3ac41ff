"""Which keys TOML files have, found by watching the loaders read: each of their questions for a key is written down, with its table,
type, unit and default.
"""

from __future__ import annotations

import dataclasses
import inspect
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from mcu_harness.base import toml_reader
from mcu_harness.hardware.board_file import BOARD_DIRECTORY, board_names, load_board
from mcu_harness.scenario.figure_catalogue import budgeted, tolerated
from mcu_harness.scenario.scenario import load_scenario

UNITS = {
    "bytes": "size",
    "hertz": "frequency",
    "seconds": "time",
    "joules": "energy",
    "count": "number",
    "fraction": "percentage",
    "decibels": "decibels",
    "number": "number",
}
# Types that the loader's question does not show: they depend on the rest of the file, or are read raw.
KINDS = {
    "layout.code": "name of a memory",
    "layout.data": "name of a memory",
    "core.fpu": "`none`, `fpv4-sp-d16`, `fpv5-sp-d16` or `fpv5-d16`, as the core allows",
    "core.dsp": "true or false",
    "console.enable": "list of lists of 2 or 3 numbers",
    "peripheral.irqs": "list of whole numbers",
    "renode.other_cores.NAME": "path, or whole number",
}
NEEDED_LISTS = ("memory", "console.dialogue")  # lists of tables of which at least one has to be there
DEFAULTS = {
    "name": "the file's name",
    "operators.NAME.function": "the operator's name",
    "core.dsp": "as the core has it",
}
PERIPHERAL = '[[peripheral]]\nname = "uart9"\nkind = "pl011"\nbase = 0x40001000\nirqs = [1]\npins = "P"\nports = []\nselect = 0\n'
# A scenario that has every table, so that the loader asks for every key.
SCENARIOS = (
    'model = "m.tflite"\nboards = ["nrf52840dk"]\nkernels = "cmsis-nn"\ncmsis_nn = "."\n[inputs]\nfile = "x.npz"\n[outputs]\nfile = "x.npz"\n[baseline]\n[coverage]\n[quantize]\ncalibration = "x.npz"\n'
    "[budgets]\n[budgets.nrf52840dk]\n",
    'models = ["m.tflite"]\nboards = ["nrf52840dk"]\n[inputs]\nseed = 1\n[outputs]\noracle = "none"\n'
    '[operators.NAME]\nsource = "m.c"\n'
    '[renode]\ninclude = ["m.repl"]\n[renode.other_cores]\nNAME = "m.elf"\n',
    'boards = ["nrf52840dk"]\n[firmware]\nelf = "m.elf"\n[profile]\n[profile.regions]\n[console]\n'
    '[[console.dialogue]]\nsend = "x"\n',
    'boards = ["nrf52840dk"]\n[[variants]]\nname = "v"\nmodel = "m.tflite"\n[variants.budgets]\n'
    '[variants.quantize]\ncalibration = "x.npz"\n',
    'boards = ["nrf52840dk"]\n[firmware]\nimage = "m.elf"\n',
)


@dataclasses.dataclass(slots=True)
class Key:
    """One key as a loader asks for it; `optional` unless its absence is an error."""

    table: str
    name: str
    kind: str = ""
    default: object = None
    optional: bool = False
    needed: bool = False

    @property
    def dotted(self) -> str:
        return f"{self.table}.{self.name}" if self.table else self.name


class Watch:
    """While it is entered, every question that a loader asks of a table is kept in `keys`."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self._originals: dict[str, Any] = {}

    def __enter__(self) -> Watch:
        readers = {
            "text": "string", "whole": "whole number", "flag": "true or false", "quantity": "", "whole_quantity": "",
            "texts": "list of strings", "table": "table", "needed_table": "table", "tables": "list of tables", "raw": "", "__contains__": "",
        }  # fmt: skip
        for method, kind in readers.items():
            self._originals[method] = getattr(toml_reader.Table, method)
            setattr(toml_reader.Table, method, self._watched(method, kind))
        return self

    def __exit__(self, *_: object) -> None:
        for method, original in self._originals.items():
            setattr(toml_reader.Table, method, original)

    def _watched(self, method: str, kind: str) -> Any:
        original, signature = self._originals[method], inspect.signature(self._originals[method])

        def read(table: toml_reader.Table, key: str, *args: Any, **kwargs: Any) -> Any:
            given = signature.bind(table, key, *args, **kwargs).arguments
            found = self.keys.setdefault(f"{table.where}.{key}", Key(table.where, key))
            if method == "__contains__":
                # `in` comes from the loader when the key is optional, and from the readers themselves.
                found.optional |= not found.kind and inspect.stack()[1].filename != toml_reader.__file__
            elif method in ("quantity", "whole_quantity"):
                found.kind = UNITS[given["kind"]]
            elif kind and found.kind in ("", "string"):
                choices = given.get("choices")
                found.kind = ", ".join(f"`{choice}`" for choice in choices) if choices else kind
            if given.get("default") is not None:
                found.default, found.optional = given["default"], True
            if method in ("table", "tables"):
                found.optional = not found.needed
            if method == "needed_table":
                found.needed, found.optional = True, False
            return original(table, key, *args, **kwargs)

        return read


@cache
def scenario_keys() -> dict[str, Key]:
    """Every key of a scenario file, by dotted name; budgets and tolerances come from their tables."""
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        for name in ("m.tflite", "x.npz", "m.elf", "m.repl"):
            Path(folder, name).write_bytes(b"")
        Path(folder, "m.c").write_text("void NAME(const struct mcu_custom *operation) {}")
        for nth, text in enumerate(SCENARIOS):
            path = Path(folder, f"s{nth}.toml")
            path.write_text(text)
            load_scenario(path)
    found = {key.dotted: key for key in watch.keys.values() if "budgets." not in key.dotted}
    for key, figure in budgeted().items():
        found[f"budgets.{key}"] = Key("budgets", key, UNITS[figure.kind], optional=True)
    for key in tolerated():
        found[f"baseline.{key}"] = Key("baseline", key, "tolerance", optional=True)
    return found


@cache
def board_keys() -> dict[str, Key]:
    """Every key of a board file, by dotted name."""
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        for name in board_names():
            inspect.unwrap(load_board)(BOARD_DIRECTORY / f"{name}.toml")
        path = Path(folder, f"{board_names()[0]}.toml")  # with what no board file needs: its chip's say it
        path.write_text((BOARD_DIRECTORY / path.name).read_text() + PERIPHERAL)
        inspect.unwrap(load_board)(path)
    found = {key.dotted: key for key in watch.keys.values()}
    # [sources] takes any key besides those that are needed.
    needed = {name for name, key in found.items() if name.startswith("sources.") and not key.optional}
    everywhere = [set(tomllib.loads(path.read_text())["sources"]) for path in boards_files()]
    common = set.intersection(*everywhere)
    return {name: key for name, key in found.items() if name not in needed or key.name in common}


def boards_files() -> list[Path]:
    return sorted(BOARD_DIRECTORY.glob("*.toml"))
