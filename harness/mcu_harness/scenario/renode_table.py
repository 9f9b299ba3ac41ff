"""[renode] of a scenario: what Renode is given of the user's own, beside the firmware."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.files import why_no_file


@dataclass(frozen=True, slots=True)
class OtherCoreSpec:
    """The core `name` of the platform runs beside the one under test: a program of its own (`image`), or what of the firmware
    has its vector table at `vectors`.
    """

    name: str
    image: Path | None
    vectors: int | None = None


@dataclass(frozen=True, slots=True)
class RenodeSpec:
    """`includes` are platform descriptions (.repl) and scripts (.resc), in order."""

    includes: tuple[Path, ...] = ()
    other_cores: tuple[OtherCoreSpec, ...] = ()


NO_RENODE = RenodeSpec()


def read_renode(top: toml_reader.Table, directory: Path) -> RenodeSpec:
    """The table; paths are relative to `directory`. Raises ScenarioError."""
    table = top.table("renode")
    if table is None:
        return NO_RENODE
    includes = tuple(_existing(table, "include", directory, name) for name in table.texts("include", ()))
    for path in includes:
        if path.suffix not in (".repl", ".resc"):
            raise table.fail(
                "include", f"{path.name} is neither a .repl nor a .resc", hint="name Renode's own kinds of file"
            )
    cores = table.table("other_cores")
    others = tuple(_other(cores, name, directory) for name in cores.names()) if cores is not None else ()
    table.done()
    return RenodeSpec(includes, others)


def _other(table: toml_reader.Table, name: str, directory: Path) -> OtherCoreSpec:
    value = table.raw(name)
    if isinstance(value, str):
        return OtherCoreSpec(name, _existing(table, name, directory, value))
    if type(value) is not int or not 0 <= value < 1 << 32:
        raise table.fail(name, f"expected the path of an ELF, or the 32-bit address of a vector table, got {value!r}")
    return OtherCoreSpec(name, None, value)


def _existing(table: toml_reader.Table, key: str, directory: Path, name: str) -> Path:
    path = directory / name
    if problem := why_no_file(path):
        raise table.fail(key, f"{problem}: {path}", hint="paths are relative to the scenario file")
    return path
