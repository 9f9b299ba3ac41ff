"""The user's own build: a command that makes the firmware's image (Make, CMake, PlatformIO, west, a script)."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mcu_harness.base import process
from mcu_harness.base.errors import BuildError, HarnessError, ToolFailure

BOARD_VARIABLE = "MCU_HARNESS_BOARD"
_POLL_S = 0.1
_built: set[tuple[str, ...]] = set()


def build_firmware(command: tuple[str, ...], directory: Path, board: str, timeout_s: float) -> None:
    """Run `command` in `directory`, once per process; never through a shell.

    Sees the board's name in MCU_HARNESS_BOARD. Raises BuildError when it fails or does not end within `timeout_s`.
    Processes that would build in the same directory at the same time wait for each other.
    """
    key = (str(directory), board, *command)
    if key in _built:
        return
    with _alone_in(directory, timeout_s):
        try:
            done = process.run(command, timeout_s, cwd=directory, env={BOARD_VARIABLE: board})
        except ToolFailure as error:
            raise BuildError(
                f"the firmware's build did not end within {timeout_s:g} s",
                command=command,
                exit_code=None,
                output=error.output,
                hint="give it more time with `build_timeout`, or see what it waits for",
            ) from error
    if done.exit_code != 0:
        raise BuildError(
            f"the firmware's build failed in {directory}",
            command=command,
            exit_code=done.exit_code,
            output=done.output,
            hint="run the command there by hand",
        )
    _built.add(key)


@contextmanager
def _alone_in(directory: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock for building in `directory`; raises HarnessError when it does not come free."""
    name = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:24]
    lock = Path(tempfile.gettempdir()) / f"mcu-harness-build-{name}"
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            if _is_abandoned(lock, timeout_s):
                continue
        except OSError as error:
            raise HarnessError(
                f"{lock} cannot be made: {error.strerror}", hint="set TMPDIR to a place that can"
            ) from error
        if time.monotonic() > deadline:
            raise HarnessError(
                f"another process has been building in {directory} for {timeout_s:g} s",
                hint=f"wait for it; if there is none, remove {lock}",
            )
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.rmdir()


def _is_abandoned(lock: Path, timeout_s: float) -> bool:
    """Take away a lock that is older than any build may take: its process was killed."""
    try:
        if time.time() - lock.stat().st_mtime < timeout_s + 60:
            return False
        lock.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
