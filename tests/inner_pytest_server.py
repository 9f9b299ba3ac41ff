"""A process that has imported the package already, and runs sessions of pytest in forks of itself: one line of JSON each.

A script, which `inner_pytest.py` starts. A request has `arguments`, `folder`, `environment` and the paths `out` and `err`; the answer is
the exit status. A session does in a fork what it does in a process of its own, without the seconds that imports take.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import traceback
from typing import Any

import pytest

import mcu_harness
import mcu_harness.app.cli.main
import mcu_harness.app.live.opening
import mcu_harness.app.pytest_plugin
import mcu_harness.app.session
import mcu_harness.results.report.formats
from mcu_harness.emulator.recorder import block_hook
from mcu_harness.emulator.trace import access_hook


def session(request: dict[str, Any]) -> int:
    """Run one session in this process, which is a fork; its exit status."""
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for path, number in ((os.devnull, 0), (request["out"], 1), (request["err"], 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.path.insert(0, request["folder"])
    sys.argv = ["pytest", *request["arguments"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return int(pytest.main(request["arguments"]))


def fork(request: dict[str, Any], server: list[int]) -> int:
    """The process number of a session that has begun; it has none of the `server`'s files."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        for number in server:
            os.close(number)
        status = session(request)
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    # Not again, and no warning that it is too late for it.
    mcu_harness.__doc__ = f"{mcu_harness.__doc__} PYTEST_DONT_REWRITE"
    block_hook.compiled()
    access_hook.compiled()
    requests, answers = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    with open(requests, encoding="utf-8", closefd=False) as lines:
        for line in lines:
            child = fork(json.loads(line), [requests, answers])
            os.write(answers, f"{child}\n".encode())
            _, ended = os.waitpid(child, 0)
            os.write(answers, f"{os.waitstatus_to_exitcode(ended)}\n".encode())


if __name__ == "__main__":
    main()
