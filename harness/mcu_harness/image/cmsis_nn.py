"""The user's own tree of Arm's CMSIS-NN: which of its files the functions that generated code calls need.

A tree is a checkout of the repository, an unpacked pack ARM.CMSIS-NN, or the folder in which a pack manager keeps one folder a version. Nothing is
downloaded, and nothing of it is part of this project. Files are only read and handed to the compiler.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from mcu_harness.base.cache import digest
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import one_line, shown
from mcu_harness.model.codegen.sources import Library, Sources

SET = "cmsis-nn"  # the folder of kernels that stand for its functions
VARIABLE = "CMSIS_NN_PATH"
_HEADER = Path("Include/arm_nnfunctions.h")
# Since 4.1: before, it wanted a compiler header of CMSIS-Core too, and other arguments.
_SINCE_4_1 = Path("Include/Internal/arm_nn_compiler.h")
_MOST_BYTES = 1 << 20  # of a file
_GET = (
    "get a checkout of github.com/ARM-software/CMSIS-NN, or the pack ARM.CMSIS-NN, 4.1 or newer, and name its folder: "
    f"--cmsis-nn DIR (pytest: --mcu-cmsis-nn, ini mcu_cmsis_nn), cmsis_nn in the scenario, or {VARIABLE}"
)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DEFINED = re.compile(r"\b(arm_\w+)\s*\([^;{}()]*\)\s*\{")
_NAMED = re.compile(r"\barm_\w+")
_RELEASE = re.compile(r'<release\s[^>]*version="([\w.+-]+)"')


@dataclass(frozen=True, slots=True)
class Tree:
    """`files` are its C files by path from `root`; `defines` says in which of them each function is; `uses` what a file names."""

    root: Path
    version: str
    files: dict[str, bytes]
    headers: dict[str, bytes]
    defines: dict[str, str]
    uses: dict[str, frozenset[str]]

    def needed_for(self, functions: Iterable[str]) -> dict[str, bytes]:
        """The C files with `functions` and all that they may call; raises HarnessError for a function that is not there."""
        wanted, found = list(functions), {}
        for function in wanted:
            if function not in self.defines:
                raise HarnessError(
                    f"{shown(self.root)}: CMSIS-NN {self.version} has no {function}",
                    hint="it is too old for a layer of this model: take a newer version, or other kernels",
                )
        while wanted:
            name = self.defines.get(wanted.pop())
            if name is not None and name not in found:
                found[name] = self.files[name]
                wanted += self.uses[name]
        return found


def with_cmsis_nn(sources: Sources, given: Path | None) -> Sources:
    """`sources` with the files of CMSIS-NN that they call; as they are where they call none.

    `given` is the tree, None for the one that the environment names. Raises HarnessError with the way out where there is none.
    """
    functions = [Path(kernel).stem for kernel in sources.kernels if kernel.startswith(f"{SET}/")]
    if not functions:
        return sources
    tree = _tree(*_place(given))
    files = tree.needed_for(functions)
    library = Library(SET, {**files, **tree.headers}, "Include")
    return replace(
        sources,
        kernels=tuple(kernel for kernel in sources.kernels if not kernel.startswith(f"{SET}/")),
        library=library,
        kernel_set=f"{sources.kernel_set} (CMSIS-NN {tree.version})",
    )


def _place(given: Path | None) -> tuple[Path, str]:
    """The folder, and who names it."""
    if given is not None:
        return given.expanduser(), ""
    named = os.environ.get(VARIABLE)
    if not named:
        raise HarnessError("the kernels cmsis-nn need CMSIS-NN, and nobody says where it is", hint=_GET)
    return Path(named).expanduser(), f"{VARIABLE}="


@lru_cache(maxsize=2)
def _tree(folder: Path, origin: str) -> Tree:
    """What is in `folder`; raises HarnessError for what is no tree of CMSIS-NN, or one that is too old."""
    said = f"{origin}{shown(folder)}"
    if not folder.is_dir():
        raise HarnessError(f"{said}: no such folder", hint=_GET)
    root = _root(folder)
    if root is None:
        raise HarnessError(f"{said}: no CMSIS-NN: {_HEADER} and Source/ are not there", hint=_GET)
    if not (root / _SINCE_4_1).is_file():
        raise HarnessError(f"{said}: this CMSIS-NN is older than 4.1 ({_SINCE_4_1} is not there)", hint=_GET)
    files, headers = _read(root, "Source", "*.c"), _read(root, "Include", "*.h")
    texts = {name: _COMMENT.sub(" ", content.decode("utf-8", "replace")) for name, content in files.items()}
    defines = {function: name for name, text in texts.items() for function in _DEFINED.findall(text)}
    uses = {name: frozenset(_NAMED.findall(text)) for name, text in texts.items()}
    parts = [part for name, content in (files | headers).items() for part in (name, content)]
    version = f"{_version(root)}, sha256 {digest(parts)[:12]}"
    return Tree(root, version, files, headers, defines, uses)


def _root(folder: Path) -> Path | None:
    """`folder`, or the newest version in it."""
    if (folder / _HEADER).is_file() and (folder / "Source").is_dir():
        return folder
    versions = [path.parents[1] for path in folder.glob(f"*/{_HEADER}") if (path.parents[1] / "Source").is_dir()]
    return max(versions, key=lambda path: [int(part) for part in re.findall(r"\d+", path.name)], default=None)


def _read(root: Path, folder: str, pattern: str) -> dict[str, bytes]:
    found = {}
    for path in sorted((root / folder).rglob(pattern)):
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise HarnessError(f"{shown(path)}: too large for a file of CMSIS-NN", hint=_GET)
            found[path.relative_to(root).as_posix()] = path.read_bytes()
        except OSError as cause:
            raise HarnessError(
                f"{shown(path)} cannot be read: {cause.strerror}", hint="its folder must be readable"
            ) from cause
    return found


def _version(root: Path) -> str:
    """The release that the pack's description names; that of a checkout is none."""
    for description in sorted(root.glob("*.pdsc")):
        released = _RELEASE.search(description.read_text(encoding="utf-8", errors="replace"))
        if released and released[1].strip("0."):
            return one_line(released[1])
    return "not released" if next(root.glob("*.pdsc"), None) else "of unknown version"
