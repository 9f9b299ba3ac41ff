"""In which source file the variables of an image are defined, out of its debug information (DWARF, `.debug_info`).

pyelftools trusts what it reads, so sizes are bounded before it does, compressed sections are left alone, and whatever it
raises ends the search: what is not known then has no file.
"""

from __future__ import annotations

from pathlib import Path

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from mcu_harness.base.text import one_line
from mcu_harness.image.elf_reader import FOREIGN_ERRORS

_MOST_BYTES = 24 << 20  # of all debug sections
_MOST_VARIABLES = 1 << 17
_OP_ADDR = 0x03  # DW_OP_addr (DWARF 5, 7.7.1)


def variable_files(path: Path) -> dict[int, str]:
    """The source file of each global and static variable, by address; {} where the image does not say."""
    found: dict[int, str] = {}
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            sections = [section for section in elf.iter_sections() if section.name.startswith(".debug_")]
            if any(section["sh_flags"] & SH_FLAGS.SHF_COMPRESSED for section in sections):
                return {}
            if sum(section["sh_size"] for section in sections) > _MOST_BYTES or not elf.has_dwarf_info():
                return {}
            dwarf = elf.get_dwarf_info(relocate_dwarf_sections=False)
            for unit in dwarf.iter_CUs():
                _add_unit(unit, found)
                if len(found) > _MOST_VARIABLES:
                    break
    except FOREIGN_ERRORS:
        pass  # what was found until then holds
    return found


def _add_unit(unit: CompileUnit, found: dict[int, str]) -> None:
    top = unit.get_top_DIE()
    name = top.attributes.get("DW_AT_name")
    if name is None:
        return
    file = one_line(name.value.decode("utf-8", "replace"))
    for entry in top.iter_children():
        address = _address(entry) if entry.tag == "DW_TAG_variable" else None
        if address is not None:
            found.setdefault(address, file)


def _address(entry: DIE) -> int | None:
    """Where a variable lies, None where that is not one fixed address."""
    location = entry.attributes.get("DW_AT_location")
    code = bytes(location.value) if location is not None and isinstance(location.value, list) else b""
    return int.from_bytes(code[1:5], "little") if len(code) == 5 and code[0] == _OP_ADDR else None
