"""Which files are scenarios. By itself, since pytest asks for every .toml file that it meets in anybody's project."""

from __future__ import annotations

from pathlib import Path


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
