"""Which files are scenarios. By itself, since pytest asks for every .toml file that it meets in anybody's project."""

from __future__ import annotations

from pathlib import Path


def is_scenario_file(path: Path) -> bool:
    """Whether `path` looks like a scenario: a .toml with a top-level `model`, `models` or [firmware].

    Cheap and forgiving, since pytest asks it for every .toml file it meets; a broken file that names a model
    still counts, so that it is reported rather than skipped.
    """
    if path.suffix != ".toml" or path.name == "pyproject.toml":
        return False
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    for line in lines:
        stripped = line.strip()
        if stripped.startswith("["):
            return False
        if stripped.split("=")[0].strip() in ("model", "models"):
            return True
    return False
