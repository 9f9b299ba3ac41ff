"""Finds FPU instructions that run while the FPU is off: the embedded emulator executes them, a board faults (NOCP).

A block is looked at once, before it runs for the first time: the core of a program that switches its FPU off again
later is not seen through.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.hardware.arm.thumb import instruction_size


class FpuWatch:
    """Reads code for the block recorder, and looks at it on the way.

    `read(address, size)` gives code; `is_on()` whether the FPU is enabled. `found()` is called when a block is about to run
    that uses it and begins with the FPU off; `off_at` is then the instruction, unless the block enables it first.
    """

    def __init__(
        self,
        read: Callable[[int, int], bytes],
        is_on: Callable[[], bool],
        found: Callable[[], None] = lambda: None,
    ) -> None:
        self._found = found
        self._read = read
        self._is_on = is_on
        self._was_on = False
        self._block = -1
        self.off_at: int | None = None

    def read(self, address: int, size: int) -> bytes:
        """The code of a block that is about to run for the first time."""
        code = self._read(address, size)
        if self.off_at is None and not self._was_on:
            self._was_on = self._is_on()
            if not self._was_on:
                self._look(address, code)
        return code

    def switched_on(self, block: int) -> None:
        """The FPU was enabled in the block at `block`: what stands behind that in it is not to blame."""
        if block == self._block:
            self.off_at = None

    def _look(self, address: int, code: bytes) -> None:
        at = 0
        while at < len(code):
            first = int.from_bytes(code[at : at + 2], "little")
            # Coprocessors 10 and 11 (Armv7-M ARM, DDI 0403, A6.1).
            if first & 0xEC00 == 0xEC00 and code[at + 3 : at + 4] and code[at + 3] & 0xE == 0xA:
                self.off_at, self._block = address + at, address
                self._found()
                return
            at += instruction_size(first)
