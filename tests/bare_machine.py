"""A bare core around an image: nothing of the harness's own emulators, so that the runtime is tested on its own."""

from __future__ import annotations

from collections.abc import Callable

import unicorn
from unicorn import arm_const

from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_MODELS = {
    "cortex-m0": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
}
_REGISTERS = [getattr(arm_const, f"UC_ARM_REG_R{nth}") for nth in range(13)]
_SYSTEM = 0xE000_E000
RAM_JUNK = 0xCD

Read = Callable[[int, int], int]
Write = Callable[[int, int, int], None]


class BareMachine:
    """Memories of `board` with `program` in flash and junk in RAM; system registers that keep what is written."""

    def __init__(self, program: Program, board: Board) -> None:
        self.program = program
        self.unicorn = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
        self.unicorn.ctl_set_cpu_model(_MODELS[board.core.name])
        self.system: dict[int, int] = {}
        for memory in board.memories:
            self.unicorn.mem_map(memory.origin, memory.size)
            self.unicorn.mem_write(memory.origin, bytes([RAM_JUNK]) * memory.size)
        for segment in program.segments:
            self.unicorn.mem_write(segment.load_address, segment.data)
        self.device(
            _SYSTEM,
            lambda address, size: self.system.get(address, 0),
            lambda address, size, value: self.system.__setitem__(address, value),
        )

    def device(self, base: int, read: Read, write: Write) -> None:
        """A page of registers; `read` and `write` get whole addresses, and sizes in bytes."""
        page = base & ~0xFFF
        self.unicorn.mmio_map(
            page,
            0x1000,
            lambda _, offset, size, __: read(page + offset, size),
            None,
            lambda _, offset, size, value, __: write(page + offset, size, value),
            None,
        )

    def address(self, symbol: str) -> int:
        return self.program.symbol(symbol).address

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.unicorn.mem_read(address, size))

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def register(self, nth: int) -> int:
        return int(self.unicorn.reg_read(_REGISTERS[nth]))

    def on(self, symbol: str, action: Callable[[], None]) -> None:
        """Call `action` whenever execution reaches `symbol`. Before the first run only."""
        at = self.address(symbol)
        self.unicorn.hook_add(unicorn.UC_HOOK_CODE, lambda *_: action(), None, at, at)

    def reset(self, until: str = "mcu_exit", limit: int = 2_000_000) -> None:
        """Start from the vector table and stop before `until`, or fail after `limit` instructions."""
        table = self.address("mcu_vectors")
        self.unicorn.reg_write(arm_const.UC_ARM_REG_SP, self.word(table))
        self._run(self.word(table + 4), self.address(until), limit)

    def call(self, symbol: str, *arguments: int, limit: int = 1_000_000) -> int:
        """Call a function with up to four words; returns r0."""
        stop = self.address("mcu_exit")
        for register, argument in zip(_REGISTERS, arguments, strict=False):
            self.unicorn.reg_write(register, argument)
        self.unicorn.reg_write(arm_const.UC_ARM_REG_SP, self.address("__stack_top"))
        self.unicorn.reg_write(arm_const.UC_ARM_REG_LR, stop | 1)
        self._run(self.address(symbol) | 1, stop, limit)
        return self.register(0)

    def _run(self, start: int, stop: int, limit: int) -> None:
        self.unicorn.emu_start(start | 1, stop, count=limit)
        at = self.unicorn.reg_read(arm_const.UC_ARM_REG_PC)
        assert at == stop, f"stopped at {at:#x} after {limit} instructions"
