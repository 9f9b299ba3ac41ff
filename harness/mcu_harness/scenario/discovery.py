"""Which files are scenarios. Light, since pytest asks for every .toml file that it meets in anybody's project."""

from __future__ import annotations

import difflib
import fnmatch
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from mcu_harness.base.errors import ScenarioError
from mcu_harness.base.files import read_bounded
from mcu_harness.scenario.model_files import is_model_folder

_MOST_BYTES = 1 << 20  # larger than any scenario by far
_SUBJECTS = ("model", "models", "variants", "firmware")
# All keys at the top of a scenario.
KEYS = frozenset(
    [
        "baseline",
        "boards",
        "budgets",
        "cmsis_nn",
        "console",
        "coverage",
        "description",
        "firmware",
        "inputs",
        "kernels",
        "model",
        "models",
        "name",
        "operators",
        "outputs",
        "placement",
        "profile",
        "quantize",
        "renode",
        "variants",
        "what_if",
    ]
)
# Of those, the ones that are in nobody else's files, each by itself or with the others of its row.
_TELLING = ({"budgets"}, {"quantize"}, {"what_if"}, {"cmsis_nn"}, {"inputs", "outputs"}, {"firmware", "console"})
_OTHERS = frozenset(("pyproject.toml", "Cargo.toml", "ruff.toml", "uv.toml", "taplo.toml", "rustfmt.toml"))
_KEY = r"(?m)^\s*[\"']?{}[\"']?\s*="


def is_scenario_file(path: Path) -> bool:
    """Whether `path` is a scenario: TOML that names boards, and a model, models, variants, or firmware.

    Read as TOML, so every spelling counts, and a file that is somebody else's does not, whatever it calls a model. What was
    meant as a scenario is one, so that it is reported and not skipped: with a key misspelt beside a board that there is, or
    broken TOML that names both. So is what is left of one, beside other scenarios or with a baseline of its own: a gate
    must not go away with half of its file.
    """
    return _is_whole(path) or (is_left_of_one(path) and _has_company(path))


def is_left_of_one(path: Path) -> bool:
    """Whether `path` can be what is left of a scenario: empty, no text, or keys of scenarios alone without boards or subject."""
    if path.suffix != ".toml" or path.name in _OTHERS or path.name.startswith(".") or not path.is_file():
        return False
    try:
        text = read_bounded(path, _MOST_BYTES).decode("utf-8")
        top = tomllib.loads(text.replace("\r\n", "\n"))
    except OSError:
        return False
    except UnicodeDecodeError:
        return True
    except (ValueError, RecursionError):
        return "\0" in text or any(
            all(re.search(rf"(?m)^\s*\[?\s*{key}\s*[]=]", text) for key in keys) for keys in _TELLING
        )
    if not top:
        return not text.strip()  # a file of comments alone was written by a person
    if not top.keys() <= KEYS:
        return False
    model = top.get("model")
    names_file = isinstance(model, str) and bool(model) and (path.parent / model).is_file()
    return names_file or _are_known(top.get("boards", [])) or any(keys <= top.keys() for keys in _TELLING)


def _has_company(path: Path) -> bool:
    """Whether there are scenarios beside `path`, or a baseline that can be its own."""
    if any(_is_whole(other) for other in sorted(path.parent.glob("*.toml")) if other != path):
        return True
    baselines = (path.parent / "baselines").glob("*@*.json")
    return any(file.name.startswith((f"{path.stem}@", f"{path.stem}+")) for file in baselines)


def _is_whole(path: Path) -> bool:
    if path.suffix != ".toml" or path.name == "pyproject.toml":
        return False
    try:
        text = read_bounded(path, _MOST_BYTES).decode("utf-8", errors="replace").replace("\r\n", "\n")
        top = tomllib.loads(text)
    except OSError:
        return False
    except (ValueError, RecursionError):
        return _looks_like_one(text)
    names_boards, names_subject = _names_boards(top.get("boards")), _names_subject(top)
    if names_boards and names_subject:
        return True
    if names_boards:
        return _are_known(top["boards"]) and any(
            _is_near(key, _SUBJECTS) and not isinstance(value, dict) for key, value in top.items()
        )
    return names_subject and any(_is_near(key, ("boards",)) and _are_known(value) for key, value in top.items())


def is_named(path: Path, root: Path, patterns: Iterable[str]) -> bool:
    """Whether one of `patterns` names `path`: its name, or with a slash its path from `root`, where "*" goes through folders."""
    whole = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    return any(fnmatch.fnmatchcase(whole if "/" in pattern else path.name, pattern) for pattern in patterns)


def _names_boards(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(board, str) for board in value)


def _names_subject(top: dict[str, object]) -> bool:
    model, models = top.get("model"), top.get("models")
    variants = top.get("variants")
    has_variants = isinstance(variants, list) and any(isinstance(each, dict) and "model" in each for each in variants)
    return isinstance(model, str) or _names_boards(models) or has_variants or _has_own_keys(top.get("firmware"))


def _has_own_keys(table: object) -> bool:
    """Whether a table is more than a prefix of others, as [firmware.other] makes one."""
    return isinstance(table, dict) and not all(isinstance(value, dict) for value in table.values())


def _is_near(key: str, meant: tuple[str, ...]) -> bool:
    """Whether `key` is one of `meant`, or a slip of the pen away from one."""
    return bool(difflib.get_close_matches(key.lower(), meant, n=1, cutoff=0.75))


def _are_known(value: object) -> bool:
    """Whether `value` is a board, or boards, one of which there is."""
    from mcu_harness.hardware.board_file import board_names

    boards = value if isinstance(value, list) else [value]
    return any(isinstance(board, str) and (board in board_names() or board.endswith(".toml")) for board in boards)


def _looks_like_one(text: str) -> bool:
    """Whether text that is no TOML was to be a scenario."""
    subject = "|".join((_KEY.format("models?"), r"(?m:^\s*\[\s*firmware\s*\])", r"(?m:^\s*\[\[\s*variants\s*\]\])"))
    return bool(re.search(_KEY.format("boards"), text) and re.search(subject.replace("(?m)", ""), text, re.M))


def expand(paths: Iterable[Path]) -> list[Path]:
    """`paths` with directories replaced by the scenarios below them, and patterns ("scenarios/k*.toml") by what matches.

    Models that are directories stay as they are. Raises ScenarioError for a directory or pattern that holds nothing.
    """
    return [file for path in paths for file in _expanded(path)]


def _expanded(path: Path) -> list[Path]:
    if path.is_dir() and not is_model_folder(path):
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
