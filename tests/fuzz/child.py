"""A command of the harness in a child with bounds, and what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MOST_CPU_S = 60  # of the child and of what it starts, one by one
MOST_BYTES = 1500 << 20  # of memory beyond what the imported libraries take
MOST_RESIDENT_BYTES = 900 << 20
DEADLINE_S = 300.0  # when nothing is computed and nothing ends
_SAID = "said.txt"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a case ended. `status` is negative for a signal; `left` are files that were not there before."""

    status: int
    said: str
    cpu_s: float
    resident_bytes: int
    left: dict[str, bytes]


def run(words: list[str], folder: Path, asked: set[str]) -> Ended:
    """Run the command in `folder`, where its input files lie; `asked` are the files that it is to write."""
    before = _files(folder)
    child = os.fork()
    if child == 0:
        os._exit(_child(words, folder))
    timer = threading.Timer(DEADLINE_S, os.kill, (child, signal.SIGKILL))
    timer.start()
    _, status, used = os.wait4(child, 0)
    timer.cancel()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    after = _files(folder)
    said = after.pop(_SAID, b"").decode("utf-8", "replace")
    left = {name: content for name, content in after.items() if name not in before or name in asked}
    return Ended(os.waitstatus_to_exitcode(status), said, used.ru_utime + used.ru_stime, used.ru_maxrss << 10, left)


def wrong(ended: Ended, asked: set[str]) -> str:
    """What must not be, "" for nothing."""
    if ended.status < 0:
        return f"killed by signal {-ended.status}"
    if ended.status not in (0, 1, 2):
        return f"exit status {ended.status}"
    if "Traceback (most recent call last)" in ended.said:
        return "a traceback"
    errors = re.findall(r"(?m)^(?:mcu-harness|usage)\b.*", ended.said)
    if ended.status == 2 and not errors:
        return "exit status 2 without an error"
    if "[output.mismatch]" in ended.said:
        return "outputs are not those of LiteRT"
    if ended.resident_bytes > MOST_RESIDENT_BYTES:
        return f"{ended.resident_bytes >> 20} MiB of memory"
    if any(not (c.isprintable() or c in "\n\t\r") for c in ended.said):
        return "unprintable characters in a terminal"
    for name, content in ended.left.items():
        if name not in asked:
            return f"left {name} behind"
        if name.endswith(".json"):
            try:
                json.loads(content)
            except ValueError:
                return f"{name} is half a file"
    return ""


def _child(words: list[str], folder: Path) -> int:
    """The child's life: it is a group of its own, so that what it starts ends with it."""
    from mcu_harness.app.cli.main import main

    os.setsid()
    os.chdir(folder)
    told = os.open(_SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(told, 1)
    os.dup2(told, 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
    bounds: tuple[tuple[int, int], ...] = (
        (resource.RLIMIT_CPU, MOST_CPU_S),
        (resource.RLIMIT_AS, _address_space() + MOST_BYTES),
        (resource.RLIMIT_CORE, 0),
    )
    for what, most in bounds:
        resource.setrlimit(what, (most, most))
    return _guarded(lambda: main(words))


def _guarded(command: Callable[[], int]) -> int:
    import traceback

    try:
        return command()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _files(folder: Path) -> dict[str, bytes]:
    """Every file in `folder`, with the content of those that are not large."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(folder).as_posix()
            found[name] = path.read_bytes() if path.stat().st_size < 64 << 20 else b""
    return found
