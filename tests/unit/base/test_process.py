from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from mcu_harness.base import process
from mcu_harness.base.errors import HarnessError, ToolFailure


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False


def test_both_streams_and_the_exit_code_come_back() -> None:
    done = process.run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), 30)
    assert (done.exit_code, done.stdout, done.stderr, done.output) == (3, "out\n", "err\n", "out\nerr\n")


def test_the_environment_is_added_to_and_the_directory_set(tmp_path: Path) -> None:
    code = "import os; print(os.environ['ADDED'], 'PATH' in os.environ, os.getcwd())"
    done = process.run(python(code), 30, cwd=tmp_path, env={"ADDED": "yes"})
    assert done.stdout.split() == ["yes", "True", str(tmp_path)]


def test_stdin_is_at_its_end() -> None:
    assert process.run(python("import sys; print(repr(sys.stdin.read()))"), 30).stdout == "''\n"


def test_a_program_that_is_not_there_is_one_error() -> None:
    with pytest.raises(HarnessError, match="no-such-program cannot be started: No such file"):
        process.run(["no-such-program"], 30)


def test_arguments_are_not_seen_by_a_shell(tmp_path: Path) -> None:
    argument = f"; touch {tmp_path}/made $(id) `id`"
    assert process.run([*python("import sys; print(sys.argv[1])"), argument], 30).stdout == argument + "\n"
    assert not list(tmp_path.iterdir())


def test_at_the_deadline_the_whole_group_is_killed() -> None:
    child = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with pytest.raises(ToolFailure, match=r"no end within 1\.5 s") as caught:
        process.run(python(f"{child}; print(p.pid, flush=True); time.sleep(60)"), 1.5)
    assert caught.value.exit_code is None
    assert "was stopped at its deadline" in caught.value.message
    assert gone_within(int(caught.value.output), 60)


def test_what_a_process_leaves_behind_is_killed_when_it_ends(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    child = f"import pathlib, time; time.sleep(60); pathlib.Path({str(ended)!r}).touch()"
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True)"
    done = process.run(python(code), 300)
    assert not ended.exists(), "the pipe that the child inherited must not be waited for"
    assert gone_within(int(done.stdout), 60)


def test_an_interrupt_kills_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"

    def interrupt() -> None:
        while not (note.is_file() and note.read_text()):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        process.run(python(code), 60)
    assert gone_within(int(note.read_text()), 60)


def test_output_without_end_is_kept_in_part() -> None:
    code = "import sys\nfor n in range(200_000): print(f'line {n:07}')"
    done = process.run(python(code), 60, max_output_bytes=10_000)
    assert len(done.stdout) < 10_200
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("line 0000000", "line 0199999")
    assert f"[... {200_000 * 13 - 10_000} bytes left out ...]" in lines


def test_output_that_just_fits_is_kept_whole() -> None:
    done = process.run(python("print('x' * 9_999)"), 30, max_output_bytes=10_000)
    assert done.stdout == "x" * 9_999 + "\n"


def test_bytes_that_are_not_text_do_no_harm() -> None:
    done = process.run(python(r"import sys; sys.stdout.buffer.write(b'\xff\xfeok\r\n')"), 30)
    assert done.stdout == "\ufffd\ufffdok\n"


@pytest.mark.parametrize("word", ["nul\0", "half \ud800"])
def test_a_word_that_no_command_can_have_is_one_error(word: str) -> None:
    for command in ([word], [sys.executable, "-c", "pass", word]):
        with pytest.raises(HarnessError, match="cannot be started"):
            process.run(command, 60)


def test_a_deadline_may_be_further_away_than_the_clock_goes() -> None:
    assert process.run(python("print(1)"), 1e30).stdout == "1\n"


def test_a_process_in_the_background_reads_what_it_is_given_and_then_waits_for_more(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.readline(), end='', flush=True); sys.stdin.readline(); print('at its end')"
    beside = process.Background(python(code), tmp_path / "log", stdin=b"given\n")
    try:
        until = time.monotonic() + 30
        while not beside.output() and time.monotonic() < until:
            time.sleep(0.01)
        assert (beside.output(), beside.wait(0.2)) == ("given\n", None)
    finally:
        beside.end()
