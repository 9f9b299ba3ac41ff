"""What is known of each block of code, looked up once when it first runs: its machine code, its end, its function."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence

from mcu_harness.emulator.recorder.clock import Clock
from mcu_harness.emulator.recorder.layout import EACH_CALL, ENDLESS, FIRST_BLOCK, HANDLER, UNMASKS
from mcu_harness.emulator.recorder.tables import RecorderTables
from mcu_harness.hardware.arm.thumb import BlockEnd, block_end, unmasks

_MOST_BYTES_OF_INSTRUCTION = 4


class NoCodeError(ValueError):
    """A block was executed at `address` whose bytes are no whole instructions, or are not known."""

    def __init__(self, address: int, reason: str) -> None:
        super().__init__(f"{reason} at {address:#010x}")
        self.address = address


class KnownBlocks:
    """Fills the table of blocks; the options are those of `BlockRecorder`."""

    def __init__(
        self,
        tables: RecorderTables,
        read_code: Callable[[int, int], bytes],
        functions: Sequence[tuple[int, int]],
        handlers: Collection[int],
        each_call: Collection[int],
        sizes_are_instructions: bool,
        clock: Clock | None,
    ) -> None:
        self.code: list[bytes] = [b""] * FIRST_BLOCK
        self.sizes: list[int] = [0] * FIRST_BLOCK  # in bytes
        self._tables = tables
        self._read_code = read_code
        self._functions = functions
        self._function_starts = [start for start, _ in functions]
        self._handlers = frozenset(handlers)
        self._each_call = frozenset(each_call)
        self._sizes_are_instructions = sizes_are_instructions
        self._clock = clock

    def add(self, key: int) -> int:
        """The number of a block that is new, by its key. Raises NoCodeError."""
        address, size = key >> 32, key & 0xFFFFFFFF
        if self._sizes_are_instructions:
            code = self._read_code(address, size * _MOST_BYTES_OF_INSTRUCTION)
            end = _block_end(code, address, size)
            code = code[: end.size]
        else:
            code = self._read_code(address, size)
            end = _block_end(code, address, None)
        index = len(self.code)
        self.code.append(code)
        self.sizes.append(len(code))
        self._tables.make_room_for_block(index)
        flags = ENDLESS if end.endless and end.instructions == 1 else 0
        flags |= HANDLER if address in self._handlers else 0
        flags |= UNMASKS if unmasks(code[end.branch_address - address :]) else 0
        flags |= EACH_CALL if address in self._each_call else 0
        block = self._tables.blocks.row(index)
        block.key = key
        block.instructions = end.instructions
        block.kind = end.kind | flags
        block.target = end.target
        block.end = address + end.size
        block.function = self.function_start(address)
        block.ticks = end.instructions if self._clock is None else self._clock.block(address, code)
        return index

    def part(self, block: int, size: int) -> int:
        """The key of the first `size` bytes of a block, as a block of its own."""
        address = self._tables.address(block)
        if self._sizes_are_instructions:
            size = block_end(self.code[block][:size], address).instructions
        return address << 32 | size

    def function_start(self, address: int) -> int:
        """Where the function that holds `address` begins; -1 without one."""
        at = bisect_right(self._function_starts, address) - 1
        return self._functions[at][0] if at >= 0 and address < self._functions[at][1] else -1


def _block_end(code: bytes, address: int, instructions: int | None) -> BlockEnd:
    try:
        return block_end(code, address, instructions)
    except ValueError as error:
        raise NoCodeError(address, str(error)) from error
