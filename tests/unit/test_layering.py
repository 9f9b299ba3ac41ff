"""Imports go one way, and three libraries are used in one place each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent

# Lowest first; a module may import from its own layer and from those before it.
LAYERS = (
    ("errors", "units", "access_records", "records", "__init__"),
    ("files", "scenario_file", "strict_toml", "process", "core"),
    ("board",),
    ("budget", "baseline", "tolerance"),
    ("compare",),
    ("scenario", "scenario_firmware"),
    ("model", "toolchain"),
    ("codegen",),
    ("build_cache", "linkscript", "elf_file"),
    ("build", "user_build", "elf", "alignment", "raw_image", "footprint", "emulator", "symbol_names"),
    ("profile", "fit", "outputs", "cases"),
    ("gate",),
    (
        "inference",
        "provenance",
        "boot",
        "subject",
        "instruction_set",
        "source_lines",
        "runtimes",
        "each_call",
    ),
    ("places", "memory_objects"),
    ("law",),
    ("diagnose", "divergence", "measure", "memory_use", "stack_use", "validate", "what_if", "worst_input"),
    ("model_run", "firmware_run"),
    ("pipeline", "report", "fit_matrix", "pairs", "merge"),
    ("session", "doctor", "options", "hookspec"),
    ("fit_run", "history"),
    ("commands",),
    ("plugin", "cli"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ONLY_IN = {
    "pytest": {"plugin", "hookspec"},
    "elftools": {"elf_file"},
    "subprocess": {"process"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def type_checking_only(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom):
                    found |= {f"{inner.module}.{alias.name}" for alias in inner.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_from_its_own_layer_and_below(path: Path) -> None:
    own = part(path)
    assert own in RANK, f"{own} has no layer: add it to LAYERS"
    for name in imports(path) - type_checking_only(path):
        pieces = name.split(".")
        if pieces[0] != "harness" or len(pieces) < 2:
            continue
        other = pieces[1] if pieces[1] in RANK else "__init__"
        assert RANK[other] <= RANK[own], f"{own} must not import {name}"


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_library_is_imported_in_one_place_only(library: str) -> None:
    users = {part(path) for path in modules() if any(name.split(".")[0] == library for name in imports(path))}
    assert users <= ONLY_IN[library]


def test_no_module_is_over_400_lines() -> None:
    too_long = {str(path): len(path.read_text().splitlines()) for path in modules()}
    assert {path: lines for path, lines in too_long.items() if lines > 400} == {}
