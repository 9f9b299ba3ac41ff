"""Sessions of pytest inside a test, each in a process of its own that need not import the package first."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

_SERVER = Path(__file__).with_name("inner_pytest_server.py")
_MOST_S = 300.0


class InnerPytest:
    """Runs them one after the other; `close` ends the process that they are forks of."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None

    def run(self, pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
        """As `pytester.runpytest_subprocess` does."""
        server = self._server = self._server or subprocess.Popen(
            [sys.executable, _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert server.stdin is not None and server.stdout is not None
        number = len(list(pytester.path.glob("runpytest-*")))
        base, out, err = (pytester.path / f"{name}-{number}" for name in ("runpytest", "inner-stdout", "inner-stderr"))
        request = {
            "arguments": [f"--basetemp={base}", *arguments],
            "folder": str(pytester.path),
            "environment": dict(os.environ),
            "out": str(out),
            "err": str(err),
        }
        base.mkdir()
        started = time.monotonic()
        server.stdin.write(f"{json.dumps(request)}\n".encode())
        child = int(_line(server.stdout))
        try:
            status = int(_line(server.stdout))
        except BaseException:
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGKILL)
            self.close()
            raise
        texts = [path.read_text("utf-8", errors="replace").splitlines() for path in (out, err)]
        for path, lines in zip((out, err), texts, strict=True):
            path.unlink()
            print("\n".join(lines))
        code = pytest.ExitCode(status) if status in set(pytest.ExitCode) else status
        return pytest.RunResult(code, texts[0], texts[1], time.monotonic() - started)

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.kill()
            server.wait()


def _line(stream: IO[bytes]) -> bytes:
    """The next line of `stream`, before the deadline."""
    ready, _, _ = select.select([stream], [], [], _MOST_S)
    assert ready, f"an inner session has taken more than {_MOST_S:g} s"
    line = stream.readline()
    assert line, "the process of inner sessions has ended"
    return line
