"""External processes: started from an argument list, bounded in time and output, never left behind.

Each process leads its own session (POSIX) or process group (Windows). When it ends, is stopped at its deadline, or
the caller is interrupted, everything still alive in that group is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mcu_harness.base.errors import HarnessError, ToolFailure
from mcu_harness.base.idleness import Idleness

_CHUNK_BYTES = 65536
_POLL_S = 0.1
# A signal that comes between Python's last look for one and the moment in which a wait begins does not end that wait.
# So none is longer than this.
SLICE_S = 0.5


@dataclass(frozen=True, slots=True)
class CompletedText:
    """A process that ended by itself. Output is decoded as UTF-8; undecodable bytes become U+FFFD."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams, stderr last: compilers and linkers say what went wrong there."""
        return self.stdout + self.stderr


class Running:
    """Processes that run side by side in threads, to be ended together by whoever waits for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """Take note of `process`; it is killed at once when `end` was called already."""
        with self._lock:
            self._live.add(process)
            if self._ended:
                kill_group(process)

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        """Forget `process`, which is gone."""
        with self._lock:
            self._live.discard(process)

    def end(self) -> None:
        """Kill all of them, and those that are still to come."""
        with self._lock:
            self._ended = True
            for process in self._live:
                kill_group(process)


def run(
    argv: Sequence[str | Path],
    timeout_s: float,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    max_output_bytes: int = 1 << 20,
    among: Running | None = None,
    watched: bool = False,
    idle_s: float | None = None,
) -> CompletedText:
    """Run `argv` to its end with stdin closed; `env` is added to the environment, the process to those in `among`.

    Of each stream at most `max_output_bytes` are kept: its start and its end, with a line saying what was left out.
    Raises ToolFailure (exit code None) at the deadline, or once nothing of it has done anything for `idle_s`, and
    HarnessError when the program cannot be started. A non-zero exit code is the caller's to judge. A `watched` process
    ends with this one even if this one is killed.
    """
    command = tuple(str(part) for part in argv)
    process = _start(command, cwd, env)
    assert process.stdout is not None and process.stderr is not None
    streams = [_Capture(process.stdout, max_output_bytes), _Capture(process.stderr, max_output_bytes)]
    waiter = threading.Thread(target=process.wait, daemon=True)
    watcher = _watcher_of(process) if watched else None
    try:
        if among is not None:
            among.add(process)
        waiter.start()
        late = _waited(waiter, process, timeout_s, idle_s)
    finally:
        kill_group(process)
        _dismiss(watcher)
        process.wait()
        if among is not None:
            among.remove(process)
    texts = [stream.text() for stream in streams]
    if late:
        raise ToolFailure(late, command=command, exit_code=None, output="".join(texts)) from None
    return CompletedText(command, process.returncode, texts[0], texts[1])


def _waited(waiter: threading.Thread, process: subprocess.Popen[bytes], timeout_s: float, idle_s: float | None) -> str:
    """ "" when `process` has ended, for which `waiter` waits; else why it is not waited for any longer."""
    deadline = time.monotonic() + timeout_s
    idleness = Idleness(process.pid)
    while waiter.is_alive() and (left := deadline - time.monotonic()) > 0:
        waiter.join(min(left, SLICE_S if idle_s is None else _POLL_S))
        if idle_s is not None and waiter.is_alive() and idleness.seconds() > idle_s:
            return f"it has done nothing for {idle_s:g} s"
    return f"no end within {timeout_s:g} s" if waiter.is_alive() else ""


class Background:
    """A process that works beside the caller; both outputs go to the file `output`.

    `stdin`, a few bytes, is what it can read; then its stdin stays open until it has ended. None: it is at its end.
    The caller ends it; if that is forgotten, it ends with the caller's interpreter, even when that is killed. Then the
    folder `scratch` goes with it, which is the caller's to remove otherwise. Raises HarnessError when the program
    cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        output: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        scratch: Path | None = None,
        stdin: bytes | None = None,
    ) -> None:
        self.argv = tuple(str(part) for part in argv)
        self._output = output
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with output.open("wb") as log:
            self._process = _start(self.argv, cwd, env, stdin=source, stdout=log, stderr=subprocess.STDOUT)
        if self._process.stdin is not None and stdin is not None:
            with contextlib.suppress(OSError):  # it has ended already
                os.write(self._process.stdin.fileno(), stdin)
        self._watcher = _watcher_of(self._process, scratch)
        self._idleness = Idleness(self._process.pid)
        self._ended = False
        atexit.register(self.end)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that killed it."""
        return self._process.poll()

    def idle_s(self) -> float:
        """For how many seconds it has done nothing; see `Idleness.seconds`."""
        return self._idleness.seconds()

    def computed_s(self) -> float:
        """The processor time that it has taken; see `Idleness.computed_s`."""
        return self._idleness.computed_s()

    def spun_s(self) -> float:
        """The processor time since it last got on; see `Idleness.spun_s`."""
        return self._idleness.spun_s()

    def wait(self, timeout_s: float) -> int | None:
        """`exit_code`, after giving it so much time to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self._process.returncode

    def output(self, last_bytes: int = 1 << 16) -> str:
        """The end of what it has written so far."""
        with self._output.open("rb") as log:
            log.seek(max(0, self._output.stat().st_size - last_bytes))
            return log.read().decode("utf-8", "replace").replace("\r\n", "\n")

    def end(self) -> None:
        """Kill it and everything that it started. Does nothing the second time."""
        atexit.unregister(self.end)
        if not self._ended:
            self._ended = True
            kill_group(self._process)
            _dismiss(self._watcher)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()


# Shells differ in how they take a group: dash knows no "--", others want it.
_WATCH = """
read -r line
kill -KILL "-$1" || kill -KILL -- "-$1"
[ -z "$2" ] && exit
for turn in 1 2 3 4 5; do rm -rf -- "$2" && exit; sleep 1; done  # what is killed may write until it is gone
"""


def _watcher_of(process: subprocess.Popen[bytes], scratch: Path | None = None) -> subprocess.Popen[bytes] | None:
    """A process that kills the group of `process` when this one is gone, however it went: then its stdin ends.

    It also removes the folder `scratch`. What is killed within the milliseconds until the watcher is there leaves its
    child behind.
    """
    if os.name != "posix":
        return None
    with contextlib.suppress(OSError):  # without a shell nobody watches
        return subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "sh", str(process.pid), str(scratch.absolute()) if scratch else ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return None


def _dismiss(watcher: subprocess.Popen[bytes] | None) -> None:
    if watcher is not None:
        watcher.kill()
        watcher.wait()
        assert watcher.stdin is not None
        watcher.stdin.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill `process` and everything that it started and that is still in its group."""
    if os.name == "posix":
        # The group outlives its leader as long as any member lives, and its id is not given away before that.
        # macOS answers "not permitted" for a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        process.kill()


def _start(
    command: tuple[str, ...],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except (OSError, ValueError) as cause:  # ValueError: a zero byte, half a character
        why = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise HarnessError(
            f"{command[0]} cannot be started: {why}", hint="check that it is installed and executable"
        ) from cause


class _Capture:
    """Reads a pipe to its end in a thread, and keeps a bounded part of it."""

    def __init__(self, pipe: IO[bytes], limit_bytes: int) -> None:
        self._pipe = pipe
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._dropped_bytes = 0
        self._half_bytes = max(1, limit_bytes // 2)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), _CHUNK_BYTES):
                room = self._half_bytes - len(self._head)
                if room > 0:
                    self._head += chunk[:room]
                    chunk = chunk[room:]
                self._tail.append(chunk)
                self._tail_bytes += len(chunk)
                while self._tail and self._tail_bytes - len(self._tail[0]) >= self._half_bytes:
                    gone = self._tail.popleft()
                    self._tail_bytes -= len(gone)
                    self._dropped_bytes += len(gone)

    def text(self) -> str:
        """What was read. Call once the process group is gone; one that escaped from it may still hold the pipe."""
        self._thread.join(timeout=5)
        tail = b"".join(tuple(self._tail))
        cut = max(0, len(tail) - self._half_bytes)
        dropped = self._dropped_bytes + cut
        note = f"\n[... {dropped} bytes left out ...]\n".encode() if dropped else b""
        return (bytes(self._head) + note + tail[cut:]).decode("utf-8", "replace").replace("\r\n", "\n")
