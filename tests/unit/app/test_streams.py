"""What happens to a command when whoever reads its output goes away, or there is no output at all."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell")

# Two cases: the first passes, the second, of which nobody reads any more, fails.
COMMAND = """
import sys
from mcu_harness.app.cli import main as cli
from mcu_harness.base.errors import HarnessError

def command(arguments):
    for n in range(2000):
        print("a line of a table", n)
    open("done", "w").write("to its end")
    return 1

class Parser:
    def parse_args(self, argv):
        return type("Arguments", (), {"command": staticmethod(command)})

cli.command_parser = Parser
sys.exit(cli.main([]))
"""


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    (folder / "command.py").write_text(COMMAND)
    python = shlex.join([sys.executable, "command.py"])
    return subprocess.run(
        ["bash", "-c", line.replace("COMMAND", python)], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("reader", ["head -1", "head -c 3", "true", "false"])
def test_a_reader_that_hangs_up_neither_ends_the_work_nor_hides_its_verdict(tmp_path: Path, reader: str) -> None:
    done = shell(tmp_path, f"COMMAND | {reader}; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 1
    assert (tmp_path / "done").read_text() == "to its end"
    assert done.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_without_standard_output_the_work_is_done(tmp_path: Path, closed: str) -> None:
    done = shell(tmp_path, f"COMMAND {closed}")
    assert done.returncode == 1
    assert (tmp_path / "done").read_text() == "to its end"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_is_one_error(tmp_path: Path) -> None:
    done = shell(tmp_path, "COMMAND > /dev/full")
    assert done.returncode == 2
    assert (tmp_path / "done").read_text() == "to its end"
    assert done.stderr == "mcu-harness: error: standard output: No space left on device\n"


def test_a_terminal_that_cannot_show_a_character_gets_its_number(tmp_path: Path) -> None:
    code = "from mcu_harness.app.cli.streams import patient_streams\nwith patient_streams(): print('\\u00b5 \\ud800')"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stdout) == (0, "\\xb5 \\ud800\n")
