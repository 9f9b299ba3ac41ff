"""The life of a Renode beside the harness: started once, gone with the harness, never in another one's way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_firmware import SUM_OF_SQUARES, firmware, plan_for

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import ExitReason
from mcu_harness.emulator.progress import Progress
from mcu_harness.emulator.renode import server
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.find import Install
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program

pytestmark = [
    pytest.mark.renode,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes through /proc"),
]

ENDLESS = "void mcu_infer(void) { for (volatile uint32_t i = 0;; i++) {} }"


@pytest.fixture(scope="module")
def board() -> Board:
    return find_board("stm32f4_discovery")


@pytest.fixture(scope="module")
def program(board: Board, firmware_cache: Path) -> Program:
    return firmware(board, SUM_OF_SQUARES, firmware_cache)


@pytest.fixture
def own(renode_install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RenodeEmulator]:
    """A Renode of the test's own, with a temporary directory of its own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    emulator = RenodeEmulator(renode_install)
    yield emulator
    emulator.close()


def alive(pid: int) -> bool:
    """Whether the process runs; one that waits to be reaped does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(condition: object, what: str, seconds: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def pid_of(emulator: RenodeEmulator) -> int:
    (pid,) = emulator.pids
    return pid


def listening_ports(pid: int) -> set[str]:
    """Local addresses of the sockets on which the process listens."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1])
    return found


def test_one_renode_serves_many_runs_and_listens_on_no_port(
    own: RenodeEmulator, board: Board, program: Program
) -> None:
    first = own.run(program, board, plan_for(program))
    pid = pid_of(own)
    assert listening_ports(pid) == set()
    second = own.run(program, board, plan_for(program))
    assert pid_of(own) == pid
    assert first.window_instructions == second.window_instructions
    assert first.console == second.console


def test_one_that_stands_ready_takes_nothing_of_the_machine(
    own: RenodeEmulator, board: Board, program: Program
) -> None:
    own.run(program, board, plan_for(program))
    (ready,) = own._idle
    process = ready._process
    assert process is not None
    wait_until(lambda: process.idle_s() > 1, "it goes on computing", 30)


def test_closing_ends_it_and_removes_its_files(
    own: RenodeEmulator, board: Board, program: Program, tmp_path: Path
) -> None:
    own.run(program, board, plan_for(program))
    pid = pid_of(own)
    assert list(tmp_path.iterdir())
    own.close()
    assert not alive(pid)
    assert list(tmp_path.iterdir()) == []
    own.close()


def test_no_file_of_ours_has_a_name_that_a_starting_renode_deletes(
    own: RenodeEmulator, board: Board, program: Program, tmp_path: Path
) -> None:
    bystander = tmp_path / "renode-not-a-process"
    bystander.mkdir()
    own.run(program, board, plan_for(program))
    assert bystander.is_dir()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("renode-") and path != bystander]


def test_files_survive_another_renode_that_sweeps_the_same_directory(
    own: RenodeEmulator, renode_install: Install, board: Board, program: Program, tmp_path: Path
) -> None:
    before = own.run(program, board, plan_for(program))
    (tmp_path / "renode-1234567").mkdir()
    subprocess.run(
        [renode_install.path, "--disable-xwt", "--console", "--plain", "-e", "mach create", "-e",
         "machine LoadPlatformDescription @platforms/cpus/stm32g0.repl", "-e", "quit"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert not (tmp_path / "renode-1234567").exists()  # it did sweep
    after = own.run(program, board, plan_for(program))
    assert after.window_instructions == before.window_instructions


def test_two_run_at_once_without_noticing_each_other(
    own: RenodeEmulator, renode: RenodeEmulator, board: Board, program: Program
) -> None:
    results = {}

    def work(name: str, emulator: RenodeEmulator) -> None:
        results[name] = [emulator.run(program, board, plan_for(program)).window_instructions for _ in range(3)]

    threads = [threading.Thread(target=work, args=pair) for pair in (("own", own), ("shared", renode))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results["own"] == results["shared"]
    assert pid_of(own) != pid_of(renode)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ended_in_the_middle_by_somebody_is_an_error_and_leaves_nothing(
    own: RenodeEmulator,
    board: Board,
    firmware_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: signal.Signals,
) -> None:
    endless = firmware(board, ENDLESS, firmware_cache)
    own.run(endless, board, plan_for(endless, max_instructions=1000))
    pid = pid_of(own)

    def look(progress: Progress, underway: object) -> None:  # the run has begun, and its end is waited for
        monkeypatch.undo()
        os.kill(pid, how)

    monkeypatch.setattr(Progress, "look", look)
    with pytest.raises(EmulatorError, match=r"it was killed by signal|it exited with"):
        own.run(endless, board, plan_for(endless, max_instructions=1 << 60, timeout_s=60))
    assert list(tmp_path.iterdir()) == []


def test_killed_between_runs_is_replaced(own: RenodeEmulator, board: Board, program: Program) -> None:
    own.run(program, board, plan_for(program))
    pid = pid_of(own)
    os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: not Path(f"/proc/{pid}/task").exists() or len(list(Path(f"/proc/{pid}/task").iterdir())) == 1, "killed"
    )
    assert own.run(program, board, plan_for(program)).reason is ExitReason.FINISHED


def test_one_that_seems_alive_and_is_not_is_replaced(
    own: RenodeEmulator, board: Board, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.run(program, board, plan_for(program))
    killed = pid_of(own)
    monkeypatch.setattr(server.RenodeServer, "alive", True)  # as in the moment between its death and the news of it
    os.kill(killed, signal.SIGKILL)
    assert own.run(program, board, plan_for(program)).reason is ExitReason.FINISHED
    assert pid_of(own) != killed


def test_stopped_dead_ends_at_the_deadline(
    own: RenodeEmulator, board: Board, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcu_harness.emulator.renode.run._GRACE_S", 1.0)
    own.run(program, board, plan_for(program))
    pid = pid_of(own)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("mcu_harness.emulator.renode.emulator._LOAD_TIMEOUT_S", 2.0)
    with pytest.raises(EmulatorError, match="does not answer any more"):
        own.run(program, board, plan_for(program, timeout_s=1))
    assert not alive(pid)


def test_time_limit_ends_firmware_that_loops(own: RenodeEmulator, board: Board, firmware_cache: Path) -> None:
    endless = firmware(board, ENDLESS, firmware_cache)
    execution = own.run(endless, board, plan_for(endless, max_instructions=1 << 60, timeout_s=2, profile=False))
    assert execution.reason is ExitReason.TIMEOUT
    assert execution.detail == "not finished after 2 s"
    function = endless.function_at(execution.pc)
    assert function is not None and function.name == "mcu_infer"


def test_interrupted_run_leaves_nothing_behind(own: RenodeEmulator, board: Board, firmware_cache: Path) -> None:
    endless = firmware(board, ENDLESS, firmware_cache)
    own.run(endless, board, plan_for(endless, max_instructions=1000))
    pid = pid_of(own)
    threading.Timer(1.0, signal.raise_signal, (signal.SIGINT,)).start()
    with pytest.raises(KeyboardInterrupt):
        own.run(endless, board, plan_for(endless, max_instructions=1 << 60, timeout_s=60))
    assert not alive(pid)


# How the harness ends, and whether a run is under way then.
ENDS = {
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", False),
    "killed-in-a-run": ("os.kill(os.getpid(), signal.SIGKILL)", True),
    "terminated-in-a-run": ("os.kill(os.getpid(), signal.SIGTERM)", True),
    "interrupted-in-a-run": ("os.kill(os.getpid(), signal.SIGINT)", True),
    "forgets-to-close-it": ("sys.exit(0)", False),
}


@pytest.mark.usefixtures("renode_install")
@pytest.mark.parametrize("end", ENDS)
def test_harness_that_ends_leaves_no_renode_and_no_files(
    end: str, board: Board, firmware_cache: Path, tmp_path: Path
) -> None:
    image = firmware(board, ENDLESS, firmware_cache).path
    code, in_a_run = ENDS[end]
    script = f"""
        import os, signal, sys, threading
        sys.path[:0] = {sys.path!r}
        from small_firmware import plan_for
        from mcu_harness.hardware.board_file import find_board
        from mcu_harness.image.program import read_program
        from mcu_harness.emulator.renode.emulator import RenodeEmulator
        from pathlib import Path
        emulator, board = RenodeEmulator(), find_board({board.name!r})
        program = read_program(Path({str(image)!r}))
        emulator.run(program, board, plan_for(program, max_instructions=1000))
        print(emulator.pids[0], flush=True)
        if {in_a_run}:
            threading.Timer(1.0, lambda: {code}).start()
            emulator.run(program, board, plan_for(program, max_instructions=1 << 60, timeout_s=1000))
        {code}
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout, done.stderr
    wait_until(lambda: not alive(int(done.stdout)), "Renode is still there")
    wait_until(lambda: list(tmp_path.iterdir()) == [], "there are files")


def test_program_that_is_no_renode_is_an_error_that_says_so(tmp_path: Path, board: Board, program: Program) -> None:
    fake = tmp_path / "renode"
    fake.write_text("#!/bin/sh\necho something broke >&2\nexit 7\n")
    fake.chmod(0o755)
    emulator = RenodeEmulator(Install(fake, "RENODE_PATH", "1.15.3"))
    with pytest.raises(EmulatorError, match=r"(?s)it exited with 7.*something broke"):
        emulator.run(program, board, plan_for(program))


def test_renode_that_refuses_the_harness_says_why_and_does_not_stay(
    own: RenodeEmulator, board: Board, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "csharp_source", lambda: "class Unfinished {")
    monkeypatch.setattr(server, "_START_TIMEOUT_S", 1000.0)  # it is not the deadline that ends the start
    with pytest.raises(EmulatorError, match=r"(?s)it exited with 0.*error CS1525: .*end-of-file"):
        own.run(program, board, plan_for(program))
