"""A process that hangs is told from one that works, also where it gets little of the machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcu_harness.base import idleness
from mcu_harness.base.errors import ToolFailure
from mcu_harness.base.idleness import Idleness
from mcu_harness.base.process import kill_group, run

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")

SPINS = "while True: pass"
A_CHILD_SPINS = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPINS!r}])"
A_THREAD_SPINS = """
import threading
def work():
    while True: pass
threading.Thread(target=work).start()
threading.Event().wait()
"""


@contextmanager
def started(*command: str) -> Iterator[Idleness]:
    process = subprocess.Popen(command, start_new_session=True)
    try:
        yield Idleness(process.pid)
    finally:
        kill_group(process)
        process.wait()


def watched(idle: Idleness, looks: int) -> float:
    for _ in range(looks):
        time.sleep(idleness._LOOK_EVERY_S)
        idle.seconds()
    return idle.seconds()


def test_a_process_that_waits_becomes_idle() -> None:
    with started("sleep", "1000") as idle:
        while idle.seconds() < 1:
            time.sleep(0.05)


@pytest.mark.parametrize("code", [SPINS, A_CHILD_SPINS, A_THREAD_SPINS], ids=["itself", "child", "thread"])
def test_one_that_computes_is_not_idle_however_little_it_gets(code: str) -> None:
    with started("nice", "-n", "19", sys.executable, "-c", code) as idle:
        watched(idle, 4)  # it may be looked at before it has begun
        assert watched(idle, 4) == 0


def test_time_in_which_nobody_looked_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with started("sleep", "1000") as idle:
        now = time.monotonic()
        monkeypatch.setattr(idleness.time, "monotonic", lambda: now + 3600)
        idle.seconds()
        monkeypatch.setattr(idleness.time, "monotonic", lambda: now + 7200)
        assert 0 < idle.seconds() <= 4 * idleness._LOOK_EVERY_S


def test_a_run_that_does_nothing_is_ended_before_its_deadline() -> None:
    with pytest.raises(ToolFailure, match=r"it has done nothing for 1 s") as caught:
        run(["/bin/sh", "-c", "echo begun; sleep 1000"], timeout_s=1000, idle_s=1)
    assert caught.value.output == "begun\n"


def test_a_run_that_works_for_longer_than_that_comes_to_its_end() -> None:
    works = "import time; end = time.process_time() + 1.5\nwhile time.process_time() < end: pass"
    assert run([sys.executable, "-c", works], timeout_s=1000, idle_s=1).exit_code == 0
