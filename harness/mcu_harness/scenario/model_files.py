"""Which files are models, and what is wrong with a name that should be one."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.base.files import why_no_file

# A function of a Python file that makes a model: "net.py:make".
_FACTORY = ".py:"


def split_factory(path: Path) -> tuple[Path, str]:
    """The file and, for "net.py:make", the function in it; "" for every other model."""
    name = path.name
    if _FACTORY not in name:
        return path, ""
    file, _, function = name.rpartition(":")
    return path.with_name(file), function


def why_no_model(path: Path) -> str:
    """Why `path` cannot be read as a model, "" where it can; a SavedModel is a folder, all others are files."""
    file, function = split_factory(path)
    if function and not function.isidentifier():
        return f"{function!r} after the colon is not the name of a function"
    if is_model_folder(file):
        return ""
    problem = why_no_file(file)
    return f"{file.name}: {problem}" if problem and function else problem


def is_model_folder(path: Path) -> bool:
    """Whether the folder `path` is one model: a SavedModel, or one of Core ML, which is known so that it can be refused by name."""
    return (path / "saved_model.pb").is_file() or (path.is_dir() and is_core_ml(path))


def is_core_ml(path: Path) -> bool:
    """Whether `path` is called as a model of Core ML, of either generation, or as a compiled one."""
    return path.suffix.lower() in (".mlmodel", ".mlpackage", ".mlmodelc")


def model_stem(path: Path) -> str:
    """The name of a model in reports: its file's without the ending, with the function of a factory."""
    file, function = split_factory(path)
    return f"{file.stem}-{function}" if function else file.stem
