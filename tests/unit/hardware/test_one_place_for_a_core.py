"""A core is known in one place: its row in `hardware/core.py`, and its table of cycles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import mcu_harness
from mcu_harness.analysis.profile.cycles import cores
from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES, module_name
from mcu_harness.emulator.contract import PAINT_AS_POINTER, STACK_PAINT, devices_answer
from mcu_harness.hardware.arm.address_map import ADDRESS_SPACE, DEVICES, NEVER_EXECUTED, PRIVATE_BUS, is_device
from mcu_harness.hardware.arm.instruction_set import parts_of
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.hardware.core import CORES

PACKAGE = Path(mcu_harness.__file__).parent
CORE_NAME = re.compile(r"cortex[-_ ]?m\d", re.IGNORECASE)
# What Renode itself knows is a fact about Renode.
ELSEWHERE = ("hardware", "analysis/profile/cycles", "emulator/renode/versions.py")


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string and name in a module, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def test_no_module_asks_for_a_core_by_name() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if not path.relative_to(PACKAGE).as_posix().startswith(ELSEWHERE)]
    assert len(modules) > 150
    found = [f"{path}:{line}: {text}" for path in modules for line, text in _texts(path) if CORE_NAME.search(text)]
    assert found == []


def test_the_search_finds_a_name_where_it_may_stand() -> None:
    rows = [text for _, text in _texts(PACKAGE / "hardware" / "core.py") if CORE_NAME.search(text)]
    assert set(CORES) <= set(rows)


def test_only_one_module_makes_a_disassembler() -> None:
    makers = [path.name for path in PACKAGE.rglob("*.py") if "capstone.Cs(" in path.read_text(encoding="utf-8")]
    assert makers == ["decoder.py"]


def test_every_table_of_cycles_is_of_a_known_core_and_boards_have_known_parts() -> None:
    modules = {path.stem for path in Path(cores.__file__).parent.glob("*.py")} - {"__init__"}
    assert modules and {module_name(core) for core in CYCLE_TABLES} == modules
    assert all(table(1).core == core for core, table in CYCLE_TABLES.items())
    boards = [find_board(name) for name in board_names()]
    assert boards and all(parts_of(board) for board in boards)
    assert all(core.architecture.has_unaligned == core.architecture.has_fault_status for core in CORES.values())


def test_a_pointer_made_of_stack_paint_leads_nowhere() -> None:
    pointer = int.from_bytes(bytes([STACK_PAINT] * 4), "little")
    assert PAINT_AS_POINTER.holds(pointer) and is_device(pointer)
    assert not any(span.meets(PAINT_AS_POINTER) for span in devices_answer())
    assert any(span.holds(0xA000_1000) for span in devices_answer())


def test_device_space_is_arms() -> None:
    assert [tuple(span) for span in DEVICES] == [
        (0x4000_0000, 0x6000_0000),
        (0xA000_0000, 0xE000_0000),
        (0xE010_0000, 0x1_0000_0000),
    ]
    assert (PRIVATE_BUS.low, PRIVATE_BUS.high) == (0xE000_0000, 0xE010_0000)
    assert all(NEVER_EXECUTED[0] == span or NEVER_EXECUTED[1].meets(span) for span in (*DEVICES, PRIVATE_BUS))
    assert [is_device(at) for at in (0, 0x3FFF_FFFF, 0x4000_0000, 0x9FFF_FFFF, 0xA000_0000, 0xDFFF_FFFF)] == [
        False, False, True, False, True, True,
    ]  # fmt: skip
    assert ADDRESS_SPACE.size == 1 << 32
