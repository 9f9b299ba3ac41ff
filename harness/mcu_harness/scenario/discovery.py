"""Which files are scenarios. Light, since pytest asks for every .toml file that it meets in anybody's project."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mcu_harness.base.errors import ScenarioError


def is_scenario_file(path: Path) -> bool:
    """Whether `path` looks like a scenario: a .toml with a top-level `model` or `models`, or `boards` and [firmware].

    Cheap and forgiving, since pytest asks it for every .toml file it meets; a broken file that names a model
    still counts, so that it is reported rather than skipped.
    """
    if path.suffix != ".toml" or path.name == "pyproject.toml":
        return False
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    top, names_boards = True, False
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("["):
            top = False
            if names_boards and stripped.partition("#")[0].strip() == "[firmware]":
                return True
        key = stripped.split("=")[0].strip() if top else ""
        if key in ("model", "models"):
            return True
        names_boards = names_boards or key == "boards"
    return False


def expand(paths: Iterable[Path]) -> list[Path]:
    """`paths` with directories replaced by the scenarios below them, and patterns ("scenarios/k*.toml") by what matches.

    Models that are directories stay as they are. Raises ScenarioError for a directory or pattern that holds nothing.
    """
    return [file for path in paths for file in _expanded(path)]


def _expanded(path: Path) -> list[Path]:
    if path.is_dir() and not (path / "saved_model.pb").is_file():
        found = sorted(file for file in path.rglob("*.toml") if is_scenario_file(file))
        if not found:
            raise ScenarioError(f"{path}: no scenarios there", hint="a scenario is a .toml with `model` or `models`")
        return found
    if any(character in path.name for character in "*?[") and not path.exists():
        found = sorted(file for file in path.parent.glob(path.name) if file.suffix != ".toml" or is_scenario_file(file))
        if not found:
            raise ScenarioError(f"{path}: nothing matches", hint="give models or scenarios")
        return found
    return [path]
