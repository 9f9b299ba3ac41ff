"""The user's own build: a command that makes the firmware's image (Make, CMake, PlatformIO, west, a script)."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

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
            done = process.run(command, timeout_s, cwd=directory, env={BOARD_VARIABLE: board}, watched=True)
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
    """Hold the lock for building in `directory`, which the system frees when its owner is gone; raises HarnessError when
    it does not come free within `timeout_s`."""
    name = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:24]
    path = Path(tempfile.gettempdir()) / f"mcu-harness-build-{name}.lock"
    lock = FileLock(path)
    try:
        lock.acquire(timeout=timeout_s, poll_interval=_POLL_S)
    except Timeout as error:
        raise HarnessError(
            f"another process has been building in {directory} for {timeout_s:g} s", hint="wait for it, or end it"
        ) from error
    except OSError as error:
        raise HarnessError(f"{path} cannot be made: {error.strerror}", hint="set TMPDIR to a place that can") from error
    try:
        yield
    finally:
        lock.release()
