"""Live boards in Renode, through pytest: the option chooses, and no Renode is left behind, however a session ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from live_firmware import shell
from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.renode.find import find_renode

pytestmark = [pytest.mark.gnu, pytest.mark.renode]

TEST = """
from pathlib import Path

def test_it(mcu_board):
    board = mcu_board("shell.elf", "stm32f4_discovery", renode=["button.repl"])
    board.monitor("sysbus.gpioPortA.button Press")
    assert "True" in board.monitor("sysbus.gpioPortA.button Pressed")
    board.expect("ready in 5 ms")
    Path("pid").write_text(str(board._machine.server.pid))
    {more}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    try:
        find_renode()
    except EmulatorError as error:
        pytest.skip(f"no Renode: {error.hint}")
    shell(pytester.path)
    (pytester.path / "button.repl").write_text("button: Miscellaneous.Button @ gpioPortA 0\n    -> gpioPortA@0\n")
    return pytester


def is_gone(pid: int) -> bool:
    """Whether that process has ended, after a moment."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_worker_leaves_none_when_a_test_fails(project: pytest.Pytester) -> None:
    (project.path / "test_shell.py").write_text(TEST.format(more='board.expect("nothing", timeout="1 ms")'))
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=renode", "-x", "-n1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*expect('nothing'): it did not come within 1 ms", "*ms  < ready in 5 ms"])
    assert is_gone(int((project.path / "pid").read_text()))


def test_ctrl_c_leaves_none(project: pytest.Pytester) -> None:
    (project.path / "test_shell.py").write_text(TEST.format(more='board.run_for("100000 s")'))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--mcu-emulator=renode"]
    process = subprocess.Popen(command, cwd=project.path, stdout=subprocess.PIPE, text=True)
    pid = project.path / "pid"
    deadline = time.monotonic() + 120
    while not pid.exists() or not pid.read_text():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[0]
    assert is_gone(int(pid.read_text()))
