"""One Renode that stays alive for many runs, and the connection to it.

The harness listens on the loopback interface, on a port that the system chooses, for as long as it takes Renode to
call back with the secret from its environment; then nobody listens. Renode itself opens no port. It gets a directory
of its own for everything it writes, TMPDIR included, because a starting Renode deletes what it takes for leftovers
of others in there. When the connection ends, for whatever reason, Renode kills itself: it cannot outlive the harness.
"""

from __future__ import annotations

import atexit
import hmac
import secrets
import select
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from mcu_harness.base.errors import EmulatorError
from mcu_harness.base.process import Background
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.find import Install
from mcu_harness.emulator.renode.last_start import LastStart

# A start takes some seconds of a processor, and on a busy machine a minute: one that computes is given that long, but not much more
# of a processor than the last one took here. One that does nothing will not call any more, nor one that computes and neither reads
# anything nor needs memory: a start does that every few hundredths of a second.
_START_TIMEOUT_S = 90.0
START_IDLE_S = 4.0
START_SPINS_S = 5.0
_TIMES_THE_LAST = 3.0
_AND_SO_LONG_S = 2.0
_POLL_S = 0.05
_DIES_S = 5.0  # its connection goes before it does itself
_IDLE_S = 0.5
_SCRIPT = "harness.cs"
_STACK_FRAMES = ("at ", "--- End of stack trace")
_PYTHON_FRAME = "Antmicro.Renode.Core.PythonEngine."
_PYTHON_RAISED = (
    "a Python peripheral or hook that you include raised, which ends Renode; since 1.16 a peripheral's request has "
    "IsInit, IsRead, IsWrite, Offset and Value, before it had isInit, isRead, isWrite, offset and value"
)
_TRY_AGAIN = "run it again; if it happens again, try another version of Renode, or `--emulator unicorn`"
# For Mono, where that is what runs Renode: otherwise every call between translated code and C# announces itself to the garbage
# collector, at several times the price of the call.
_RUNTIME = {"MONO_THREADS_SUSPEND": "preemptive"}
# The names in here are ours alone: nothing that a user has chosen becomes part of a monitor command.
_COMMANDS = (f"include @{_SCRIPT}", "emulation ServeMcuHarness")
# Read when the first one fails. The rest of stdin must not come to its end: Renode asks again and again for more, which takes
# all of a processor and ever more memory.
_NEXT_COMMAND = b"quit\n"


class RenodeRefusedError(EmulatorError):
    """Renode is well, but did not do what it was asked to: a platform or a script is wrong."""


class RenodeEndedError(EmulatorError):
    """The connection broke: Renode is no more, or will not be for long."""


class RenodeServer:
    """Starts Renode; `close` ends it. After an error, or when an answer says so, it must not be used again."""

    def __init__(self, install: Install) -> None:
        self._install = install
        self.directory = Path(tempfile.mkdtemp(prefix="mcu-harness-"))
        self._connection: socket.socket | None = None
        self._process: Background | None = None
        atexit.register(self.close)  # for those who forget it
        try:
            (self.directory / "tmp").mkdir()
            (self.directory / _SCRIPT).write_text(csharp_source(), encoding="utf-8")
            self.root = self._start()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether Renode still runs, between runs: then it has nothing to say, and the connection stands."""
        if self._process is None or self._connection is None or self._process.exit_code is not None:
            return False
        return not select.select([self._connection], [], [], 0)[0]

    def request(self, frame: bytes) -> None:
        """Send one request."""
        assert self._connection is not None
        try:
            self._connection.settimeout(_START_TIMEOUT_S)
            self._connection.sendall(len(frame).to_bytes(4, "little") + frame)
        except OSError as cause:
            raise self._ended(str(cause), RenodeEndedError) from cause

    def answer(self, deadline: float, idle: Callable[[], None] = lambda: None) -> bytearray:
        """The next answer; raises EmulatorError when Renode ended or said nothing until `deadline` (monotonic).

        `idle` is called from time to time while there is none.
        """
        assert self._connection is not None
        while time.monotonic() < deadline and not select.select([self._connection], [], [], _IDLE_S)[0]:
            idle()
        size = int.from_bytes(self._receive(4, deadline), "little")
        frame = self._receive(size, deadline)
        if frame[:1] == protocol.ERROR:
            message = protocol.Reader(frame).text().strip()
            raise RenodeRefusedError(f"Renode: {message}", hint="correct the description or script that it names")
        return frame

    def close(self) -> None:
        """End Renode, and remove what it has written."""
        atexit.unregister(self.close)
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self) -> Path:
        """Start and wait for the call; returns the directory with Renode's own platforms and scripts."""
        secret = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
            environment = {
                "MCU_HARNESS_PORT": str(listener.getsockname()[1]),
                "MCU_HARNESS_SECRET": secret,
                "MCU_HARNESS_DIRECTORY": str(self.directory),
                **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.directory / "tmp")),
                **_RUNTIME,
            }
            options = [
                "--disable-xwt",
                "--plain",
                "--console",
                "--hide-log",
                "--config",
                str(self.directory / "config"),
            ]
            commands = [part for command in _COMMANDS for part in ("-e", command)]
            self._process = Background(
                [self._install.path, *options, *commands],
                self.directory / "log",
                cwd=self.directory,
                env=environment,
                scratch=self.directory,
                stdin=_NEXT_COMMAND,
            )
            deadline = time.monotonic() + _START_TIMEOUT_S
            last = LastStart(self._install)
            while True:
                self._wait_for_call(listener, deadline, last.computed_s)
                self._connection, _ = listener.accept()
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                root = self._greeted(secret)
                if root is not None:
                    last.keep(self._process.computed_s())
                    return root
                self._connection.close()

    def _wait_for_call(self, listener: socket.socket, deadline: float, last_s: float) -> None:
        assert self._process is not None
        most_s = _TIMES_THE_LAST * last_s + _AND_SO_LONG_S
        while not select.select([listener], [], [], _POLL_S)[0]:
            if self._process.idle_s() > START_IDLE_S:
                raise self._ended(f"it did not start: it has done nothing for {START_IDLE_S:g} s")
            if self._process.spun_s() > START_SPINS_S:
                raise self._ended(
                    f"it did not start: it goes in circles, and has for {START_SPINS_S:g} s of a processor"
                )
            if last_s and self._process.computed_s() > most_s:
                raise self._ended(
                    f"it did not start: it has taken {most_s:.1f} s of a processor, and {last_s:.1f} s when it last started"
                )
            if self._process.exit_code is not None or time.monotonic() > deadline:
                raise self._ended(f"it did not start within {_START_TIMEOUT_S:g} s")

    def _greeted(self, secret: str) -> Path | None:
        """Renode's directory, None when the caller does not know the secret: then it is somebody else."""
        try:
            hello = self._receive(
                int.from_bytes(self._receive(4, time.monotonic() + 5), "little"), time.monotonic() + 5
            )
        except EmulatorError:
            return None
        reader = protocol.Reader(hello)
        if hello[:1] != protocol.HELLO or not hmac.compare_digest(reader.text(), secret):
            return None
        return Path(reader.text())

    def _receive(self, size: int, deadline: float) -> bytearray:
        assert self._connection is not None
        data = bytearray(size)
        view = memoryview(data)
        while view:
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                got = self._connection.recv_into(view)
            except TimeoutError:
                raise self._ended("it does not answer any more") from None
            except OSError as cause:
                raise self._ended(str(cause), RenodeEndedError) from cause
            if got == 0:
                raise self._ended("the connection broke off", RenodeEndedError)
            view = view[got:]
        return data

    def _ended(self, what: str, error: type[EmulatorError] = EmulatorError) -> EmulatorError:
        """An `error` that says what happened to Renode, with the end of its own output."""
        assert self._process is not None
        code = self._process.wait(_DIES_S if error is RenodeEndedError else _POLL_S)
        if code is not None:
            what = f"it was killed by signal {-code}" if code < 0 else f"it exited with {code}"
        output = self._process.output()
        said = _without_stack_frames(output)
        tail = "".join(f"\n    {line}" for line in said[-15:])
        last = f"\n  last output:{tail}" if tail else ""
        return error(
            f"Renode {self._install.version} ended: {what}\n  command: {self._install.path}{last}",
            hint=_PYTHON_RAISED if _PYTHON_FRAME in output else _TRY_AGAIN,
        )


def _without_stack_frames(output: str) -> list[str]:
    """The lines of Renode's output without those of stack traces, which leave no room for the error itself."""
    lines = (line.rstrip() for line in output.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith(_STACK_FRAMES)]


def csharp_source(name: str = "") -> str:
    """The text of one of our C# files; of all, as one file, without a name: every `include` costs a compiler run."""
    folder = files("mcu_harness.emulator.renode") / "csharp"
    names = [name] if name else sorted(file.name for file in folder.iterdir() if file.name.endswith(".cs"))
    return "\n".join((folder / each).read_text("utf-8") for each in names)
