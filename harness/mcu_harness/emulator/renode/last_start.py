"""What the last start of a Renode took on this machine, kept in the cache: one that spins is told by having taken far more."""

from __future__ import annotations

import contextlib
from pathlib import Path

from mcu_harness.base.cache import default_root, digest
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import write_text
from mcu_harness.emulator.renode.find import Install

_APART = 1.5  # times: what differs by less is not written anew


class LastStart:
    """`computed_s` is the processor time in seconds of the last start of `install`, 0 when that is not known."""

    def __init__(self, install: Install) -> None:
        self._file: Path | None = None
        self.computed_s = 0.0
        with contextlib.suppress(OSError, ValueError, HarnessError):  # without a place to keep it, it is never known
            self._file = default_root() / "renode" / f"{digest([str(install.path), install.version])}.start"
            self.computed_s = max(0.0, float(self._file.read_text("utf-8")))

    def keep(self, computed_s: float) -> None:
        """It has started, and took so long."""
        known = self.computed_s
        if self._file is None or not computed_s or known / _APART < computed_s < known * _APART:
            return
        with contextlib.suppress(OSError, HarnessError):
            write_text(self._file, f"{computed_s:.2f}\n")
