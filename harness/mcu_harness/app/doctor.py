"""What is installed, what is missing, how to get it."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version

from mcu_harness import __version__
from mcu_harness.base.errors import EmulatorError, EmulatorMissing, HarnessError


def examine() -> tuple[list[str], bool]:
    """Lines for a person, and whether a model can be run here: a compiler, an emulator and a place to build are there.

    A line begins with "ok", "missing", "broken", or "optional": missing, but another does the same.
    """
    from mcu_harness.emulator.emulators import EMULATORS
    from mcu_harness.image.toolchain import NAMES, find_toolchain

    lines = [f"mcu-harness {__version__}, Python {sys.version.split()[0]}"]
    compiler = _examine("compiler", NAMES, lambda name: find_toolchain(name).version, lines)
    emulator = _examine("emulator", [entry.name for entry in EMULATORS], _emulator, lines)
    cache = _cache(lines)
    if importlib.util.find_spec("ai_edge_litert"):
        lines.append(f"ok       oracle litert: LiteRT {_version('ai-edge-litert')}")
    else:
        lines.append('missing  oracle litert: outputs cannot be checked; pip install "pytest-mcu-harness[oracle]"')
    if importlib.util.find_spec("tflite_micro"):
        lines.append(f"ok       oracle tflm: TensorFlow Lite Micro {_version('tflite-micro')}")
    else:
        lines.append(
            'optional oracle tflm: what TensorFlow Lite Micro computes; pip install "pytest-mcu-harness[tflm]"'
        )
    lines.append(_html())
    usable = bool(compiler and emulator and cache)
    lines.append("ready" if usable else "not ready: get what is missing above")
    return lines, usable


def _html() -> str:
    from mcu_harness.results.report.html import html_file

    try:
        html_file.check_available()
    except HarnessError as error:
        return f"optional html report: {error.hint}"
    return f"ok       html report: Jinja2 {_version('jinja2')}"


def _examine(kind: str, names: Iterable[str], about: Callable[[str], str], lines: list[str]) -> list[str]:
    """Add a line for each of `names`; returns those that work."""
    from mcu_harness.image.toolchain import ToolchainMissing

    working, others = [], []
    for name in names:
        try:
            lines.append(f"ok       {kind} {name}: {about(name)}")
            working.append(name)
        except HarnessError as error:
            absent = isinstance(error, ToolchainMissing | EmulatorMissing)
            others.append((name, error.hint or error.message if absent else str(error), absent))
    for name, what, absent in others:
        state = "broken " if not absent else "optional" if working else "missing"
        lines.append(f"{state:8} {kind} {name}: {what}")
    return working


def _emulator(name: str) -> str:
    """Version and place of the emulator `name`, after it has run ten instructions; raises HarnessError."""
    from mcu_harness.emulator.emulators import emulator_entry
    from mcu_harness.emulator.trial import try_out

    entry = emulator_entry(name)
    described = entry.describe()
    emulator = entry.make()
    started = time.perf_counter()
    try:
        instructions = try_out(emulator)
    except EmulatorError as error:
        raise EmulatorError(f"{described}\n  {error.message}", hint=error.hint) from error
    finally:
        emulator.close()
    return f"{described}; ran {instructions} instructions in {time.perf_counter() - started:.1f} s"


def _cache(lines: list[str]) -> bool:
    from mcu_harness.base.cache import BuildCache, default_root

    try:
        cache = BuildCache(default_root())
        with cache.scratch():
            lines.append(f"ok       build cache: {cache.root}")
    except HarnessError as error:
        lines.append(f"broken   build cache: {error}")
        return False
    return True


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of unknown version"
