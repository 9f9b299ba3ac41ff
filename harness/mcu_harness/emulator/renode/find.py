"""Which Renode is used: renode-run's install, then RENODE_PATH, then `renode` on PATH."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mcu_harness.base.cache import default_root, digest
from mcu_harness.base.errors import EmulatorError, EmulatorMissing, HarnessError
from mcu_harness.base.files import write_text
from mcu_harness.base.process import run
from mcu_harness.emulator.renode import versions

HOW_TO_GET_IT = "mcu-harness renode install, or https://github.com/renode/renode/releases and RENODE_PATH"
_VERSION_TIMEOUT_S = 60.0
_VERSION_IDLE_S = 4.0  # a Renode that hangs is told from one that is slow


@dataclass(frozen=True, slots=True)
class Install:
    """A Renode: the program, where it was found, and its version ("1.15.3")."""

    path: Path
    origin: str
    version: str


def find_renode() -> Install:
    """The Renode that is used; raises EmulatorError, with the command that gets one: EmulatorMissing when there is none.

    Starts at most `renode --version`, and that only when the program has changed.
    """
    path, origin = _locate()
    version = _version(path)
    if versions.too_old(version):
        oldest = versions.SUPPORTED[0]
        raise EmulatorError(f"{path} is Renode {version}, older than {oldest}", hint=HOW_TO_GET_IT)
    return Install(path, origin, version)


def _locate() -> tuple[Path, str]:
    found = _renode_run()
    if found is not None:
        return found, "renode-run"
    chosen = os.environ.get("RENODE_PATH")
    if chosen:
        path = Path(chosen).expanduser()
        if path.is_dir():
            path = path / "renode"
        if not path.is_file() or not os.access(path, os.X_OK):
            raise EmulatorError(
                f"RENODE_PATH={chosen}: no such program", hint="name the renode program, or its directory"
            )
        return path.absolute(), "RENODE_PATH"
    on_path = shutil.which("renode")
    if on_path:
        return Path(on_path).absolute(), "PATH"
    raise EmulatorMissing("no Renode: not from renode-run, not in RENODE_PATH, not on PATH", hint=HOW_TO_GET_IT)


def _renode_run() -> Path | None:
    """The program that renode-run has installed, without letting it download one or look on PATH."""
    if importlib.util.find_spec("renode_run") is None:
        return None
    try:
        get = importlib.import_module("renode_run.get")
        defaults = importlib.import_module("renode_run.defaults")
        look: Callable[..., object] = get.get_default_renode_path
        options = {"try_to_download": False, "use_system_renode": False}
        known = inspect.signature(look).parameters  # releases before 0.5 always look on PATH too
        with contextlib.redirect_stdout(io.StringIO()):  # it reports to a person
            found = look(defaults.DEFAULT_RENODE_ARTIFACTS_DIR, **{k: v for k, v in options.items() if k in known})
    except (Exception, SystemExit):  # it ends the program when its own configuration is broken
        return None
    if not found or ("use_system_renode" not in known and str(found) == shutil.which("renode")):
        return None
    return Path(str(found))


def _version(path: Path) -> str:
    """The version of the program at `path`, remembered on disk until the program changes: asking takes seconds."""
    status = path.stat()
    key = digest([str(path.resolve()), str(status.st_mtime_ns), str(status.st_size)])
    return _remembered(path, default_root() / "renode" / f"{key}.version")


@cache
def _remembered(path: Path, memory: Path) -> str:
    try:
        known = memory.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        known = ""
    if known and versions.parse("v" + known) == known:
        return known
    try:
        answer = run([path, "--version"], _VERSION_TIMEOUT_S, idle_s=_VERSION_IDLE_S)
    except HarnessError as cause:
        raise EmulatorError(f"{path} --version: {cause.message}", hint=HOW_TO_GET_IT) from cause
    version = versions.parse(answer.stdout)
    if not version:
        raise EmulatorError(
            f"{path} is not a Renode: --version says {answer.output.strip()[:200]!r}", hint=HOW_TO_GET_IT
        )
    with contextlib.suppress(OSError, HarnessError):  # a cache that cannot be written only costs time
        write_text(memory, version)
    return version
