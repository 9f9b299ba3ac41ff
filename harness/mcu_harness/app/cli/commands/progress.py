"""Progress of a command on a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

from mcu_harness.base.text import one_line


def progress(label: str) -> Callable[[str], None]:
    """One line on a terminal, rewritten as the run goes on; nothing where stderr is a file."""

    label = one_line(label)

    def show(step: str) -> None:
        if sys.stderr.isatty():
            columns = shutil.get_terminal_size().columns  # a line that wraps could not be rewritten
            text = f"{label}: {one_line(step)}"[: columns - 1]
            sys.stderr.write(f"\r\x1b[K{text}" if step else "\r\x1b[K")
            sys.stderr.flush()

    return show
