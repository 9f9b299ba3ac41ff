"""`--mcu-gdb`: a failed test waits for GDB, by a client of our own and by GDB itself where that is installed."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from live_firmware import shell

pytestmark = pytest.mark.gnu

FAILS = """
def test_fails(mcu_board):
    board = mcu_board("shell.elf", "stm32f4_discovery")
    board.expect("ready")
    board.send("infer\\n")
    board.run_until("infer")
    assert False
"""


@dataclass
class Debugger:
    """Speaks as GDB does."""

    socket: socket.socket

    def ask(self, packet: str) -> str:
        self.socket.sendall(b"$" + packet.encode() + b"#" + f"{sum(packet.encode()) & 0xFF:02x}".encode())
        data = b""
        while not re.search(rb"\+?\$[^#]*#..", data):
            more = self.socket.recv(4096)
            assert more, data
            data += more
        self.socket.sendall(b"+")
        found = re.search(rb"\$([^#]*)#(..)", data)
        assert found is not None
        assert int(found[2], 16) == sum(found[1]) & 0xFF
        return found[1].decode()

    def register(self, number: int) -> int:
        return int.from_bytes(bytes.fromhex(self.ask(f"p{number:x}")), "little")


@contextmanager
def failed_run(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """pytest in a process of its own, waiting for a debugger on a port."""
    (folder / "test_shell.py").write_text(FAILS)
    command = [sys.executable, "-m", "pytest", "--mcu-gdb", "-p", "no:cacheprovider"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"target remote 127\.0\.0\.1:(\d+)", line):
                yield process, int(found[1])
                return
        raise AssertionError("it never waited")
    finally:
        process.kill()
        process.wait()


def address(elf: Path, symbol: str) -> int:
    from mcu_harness.image.program import read_program

    return read_program(elf).symbol(symbol).address


def test_a_failed_test_waits_and_the_board_is_seen_where_it_stands(pytester: pytest.Pytester) -> None:
    elf = shell(pytester.path)
    infer, step, count = (address(elf, name) for name in ("infer", "step", "press_count"))
    with failed_run(pytester.path) as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            gdb = Debugger(connection)
            assert gdb.ask("?") == "S05"
            assert "qXfer:features:read+" in gdb.ask("qSupported:multiprocess+")
            assert "m-profile" in gdb.ask("qXfer:features:read:target.xml:0,fff")
            assert gdb.register(15) == infer
            assert gdb.register(0) == 1
            assert gdb.ask("s") == "S05"
            assert infer < gdb.register(15) <= infer + 4
            assert gdb.ask(f"Z0,{step:x},2") == "OK"
            for turn in range(3):
                assert gdb.ask("c") == "S05"
                assert (gdb.register(15), gdb.register(1)) == (step, turn)
            assert gdb.ask(f"M{count:x},4:2a000000") == "OK"
            assert gdb.ask(f"m{count:x},4") == "2a000000"
            assert gdb.ask("m60000000,4") == "E01"
            assert gdb.ask(f"z0,{step:x},2") == "OK"
            assert gdb.ask("P1=00000000") == "OK"
            assert gdb.register(1) == 0
            assert gdb.ask("vMustReplyEmpty") == ""
            connection.sendall(b"$c#63")
            connection.sendall(b"\x03")  # Ctrl-C
            said = b""
            while b"$S02#" not in said:
                said += connection.recv(100)
            assert gdb.ask("D") == "OK"
        rest = process.communicate(timeout=120)[0]
        assert "1 failed" in rest


def test_gdb_itself(pytester: pytest.Pytester) -> None:
    gdb = shutil.which("gdb-multiarch") or shutil.which("arm-none-eabi-gdb")
    if gdb is None:
        pytest.skip("no gdb for Arm")
    shell(pytester.path)
    with failed_run(pytester.path) as (process, port):
        commands = [
            f"target remote 127.0.0.1:{port}", "info symbol $pc", "break step", "continue", "print i",
            "backtrace", "stepi", "print settings.corners[1]", "set var press_count = 42", "print press_count", "detach",
        ]  # fmt: skip
        arguments = [word for command in commands for word in ("-ex", command)]
        done = subprocess.run(
            [gdb, "-nx", "-batch", "shell.elf", *arguments],
            cwd=pytester.path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert "infer in section .text" in done.stdout, done.stdout + done.stderr
        assert re.search(r"Breakpoint 1, (0x\w+ in )?step \(x=1, i=(i@entry=)?0\)", done.stdout), done.stdout
        assert re.search(r"#1 .* infer \(x", done.stdout), done.stdout
        assert "{x = 3, y = 4}" in done.stdout
        assert "= 42" in done.stdout
        assert "1 failed" in process.communicate(timeout=120)[0]
