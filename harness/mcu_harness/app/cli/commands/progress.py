"""Progress of a command on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mcu_harness.base.text import one_line


def progress(label: str) -> Callable[[str], None]:
    """One line on a terminal, rewritten as the run goes on; nothing where stderr is a file."""

    label = one_line(label)

    def show(step: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{label}: {one_line(step)}" if step else "\r\x1b[K")
            sys.stderr.flush()

    return show
