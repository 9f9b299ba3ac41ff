"""A build of the user's own: one at a time, and gone with whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mcu_harness.base.errors import HarnessError
from mcu_harness.image import user_build
from mcu_harness.image.user_build import build_firmware

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell and signals")

BUILD = "import sys; from pathlib import Path; from mcu_harness.image.user_build import build_firmware; build_firmware({}, Path({!r}), 'b', 60)"


def start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", BUILD.format(command, str(folder))])


def pids(note: Path, count: int) -> list[int]:
    """The ids in `note`, as soon as there are so many."""
    while not note.is_file() or len(note.read_text().split()) < count:
        time.sleep(0.02)
    return [int(word) for word in note.read_text().split()]


def ends(pid: int) -> bool:
    """Whether a process is gone, or soon is."""
    for _ in range(1000):
        stat = Path(f"/proc/{pid}/stat")
        try:
            os.kill(pid, 0)
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # waiting for whoever is process 1 to notice
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_a_killed_harness_takes_its_build_along_and_blocks_nobody(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    # A build as Make runs it: a process that starts another.
    first = start(tmp_path, "sh", "-c", f"sleep 600 & sleep 1; echo $$ $! >> {note}; wait")
    started = pids(note, 2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert all(ends(pid) for pid in started)
    build_firmware(("sh", "-c", f"echo built >> {tmp_path}/done"), tmp_path, "b", 60)
    assert (tmp_path / "done").read_text() == "built\n"


def test_builds_in_one_folder_wait_for_each_other(tmp_path: Path) -> None:
    script = f"test ! -e {tmp_path}/busy || exit 1; : > {tmp_path}/busy; sleep 0.2; rm {tmp_path}/busy"
    both = [start(tmp_path, "sh", "-c", script) for _ in range(3)]
    assert [one.wait() for one in both] == [0, 0, 0]


def test_one_that_waits_too_long_says_so(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    first = start(tmp_path, "sh", "-c", f"echo $$ >> {note}; sleep 600")
    pids(note, 1)
    try:
        with pytest.raises(HarnessError, match="another process has been building"):
            build_firmware(("true",), tmp_path, "b", 0.3)
    finally:
        first.kill()
        first.wait()
    user_build._built.clear()
