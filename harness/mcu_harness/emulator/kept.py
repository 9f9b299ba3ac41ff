"""Emulators that are kept while many runs are made, and closed together."""

from __future__ import annotations

from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.emulator.live import LiveEmulator


class KeptEmulators:
    """Emulators by name, each made when it is first asked for; `close` ends whatever they keep running."""

    def __init__(self) -> None:
        self._made: dict[str, LiveEmulator] = {}

    def get(self, name: str) -> LiveEmulator:
        """Raises EmulatorError for a name that none has, and where that emulator is missing."""
        if name not in self._made:
            self._made[name] = emulator_entry(name).make()
        return self._made[name]

    def close(self) -> None:
        for emulator in self._made.values():
            emulator.close()
        self._made.clear()
