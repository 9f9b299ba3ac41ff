"""The house as docs/design.md describes it: rooms that say what they are for, and libraries that have one door each.

That rooms import in one direction, without cycles, is held by import-linter (`tox -e lint`).
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import mcu_harness

PACKAGE = Path(mcu_harness.__file__).parent
ROOMS = ("base", "hardware", "scenario", "results", "model", "image", "emulator", "analysis", "app")
# Where a library is imported, and nowhere else: what else would have to be looked through to replace it?
ONLY_IN = {
    "pytest": {
        "app/pytest_plugin.py",
        "app/pytest_board.py",
        "app/pytest_scenarios.py",
        "app/pytest_profile.py",
        "app/pytest_unit_tests.py",
        "app/pytest_hooks.py",
    },
    "elftools": {"image/elf_reader.py", "image/debug_info.py"},
    "subprocess": {"base/process.py"},
    "tabulate": {"results/report/terminal_table.py"},
}

MOST_LINES = 400


def modules() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 200
    return found


@cache
def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_nothing_lies_at_the_root_but_rooms() -> None:
    found = {path.name for path in PACKAGE.iterdir() if path.name not in ("__pycache__", "firmware")}
    assert found == {*ROOMS, "__init__.py", "__main__.py", "py.typed"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for_and_what_it_may_know(room: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text())) or ""
    assert "mport" in text, "what may it import?"
    assert len(text.splitlines()) >= 3


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_is_imported_in_one_place_only(library: str) -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in modules()
        if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users == ONLY_IN[library]


def test_a_module_is_about_one_subject_and_short() -> None:
    """A module that has grown to the limit is divided by subject, not shortened."""
    longest = {path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines()) for path in modules()}
    assert {name: lines for name, lines in longest.items() if lines > MOST_LINES} == {}


def test_unit_tests_lie_in_rooms_too() -> None:
    folders = {path.parent.name for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)}
    assert folders <= set(ROOMS)
    assert len(folders) == len(ROOMS)
