"""Where a source file is, of which the compiler wrote a path that is relative to where it ran."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.base.errors import ElfError
from mcu_harness.base.text import shown
from mcu_harness.image import elf_reader
from mcu_harness.image.program import Program


class SourcePaths:
    """Paths of one program's sources, seen from the working directory where they lie below it.

    A relative one is looked for where the units of the program were compiled; one that is nowhere stays as it is.
    """

    def __init__(self, program: Program) -> None:
        self._folders = _folders(program)
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        if path not in self._known:
            self._known[path] = self._found(path)
        return self._known[path]

    def _found(self, path: str) -> str:
        if Path(path).is_absolute():
            return shown(Path(path))
        for folder in self._folders:
            try:
                if (folder / path).is_file():
                    return shown(folder / path)
            except (OSError, ValueError):  # a name that no file can have
                return path
        return path


def _folders(program: Program) -> tuple[Path, ...]:
    """Where the program's units were compiled, each once."""
    try:
        units = elf_reader.debug_units(elf_reader.read_elf_file(program.path))
        found = {str(unit.attributes.get("DW_AT_comp_dir", "")): None for unit in units}
    except ElfError:  # not an ELF, or its debug information is broken
        return ()
    return tuple(Path(folder) for folder in found if folder.startswith("/"))
