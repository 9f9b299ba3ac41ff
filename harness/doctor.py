"""What is installed, what is missing, how to get it."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, version

from harness import __version__
from harness.errors import HarnessError


def examine() -> tuple[list[str], bool]:
    """Lines for a person, and whether a model can be run here (a compiler and an emulator are there)."""
    lines = [f"mcu-harness {__version__}, Python {sys.version.split()[0]}"]
    compilers = _compilers(lines)
    emulators = _emulators(lines)
    if importlib.util.find_spec("ai_edge_litert"):
        lines.append(f"ok       oracle litert: LiteRT {_version('ai-edge-litert')}")
    else:
        lines.append('missing  oracle litert: outputs will not be checked; pip install "pytest-mcu-harness[oracle]"')
    usable = compilers and emulators
    lines.append("ready" if usable else "not ready: get what is missing above")
    return lines, usable


def _compilers(lines: list[str]) -> bool:
    from harness.toolchain import find_toolchain

    found = False
    for name in ("gnu", "zig"):
        try:
            toolchain = find_toolchain(name)
        except HarnessError as error:
            lines.append(f"missing  compiler {name}: {error.hint or error.message}")
        else:
            lines.append(f"ok       compiler {name}: {toolchain.version}")
            found = True
    return found


def _emulators(lines: list[str]) -> bool:
    from harness.emulator.select import EMULATOR_NAMES, describe

    found = False
    for name in EMULATOR_NAMES:
        try:
            about = describe(name)
        except HarnessError as error:
            lines.append(f"missing  emulator {name}: {error.hint or error.message}")
        else:
            lines.append(f"ok       emulator {name}: {about}")
            found = True
    return found


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of unknown version"
