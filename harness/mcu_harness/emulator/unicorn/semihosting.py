"""Semihosting: what a program asks of its host with `bkpt 0xab` (Arm IHI 0042, "Semihosting for AArch32").

Text to and from the console, time and exit are served; files are not: opening one fails, but for ":tt", the console.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.unicorn.memory import BoardMemory

BREAKPOINT = b"\xab\xbe"

_SYS_OPEN, _SYS_CLOSE, _SYS_WRITEC, _SYS_WRITE0, _SYS_WRITE = 1, 2, 3, 4, 5
_SYS_READ, _SYS_READC, _SYS_GET_CMDLINE, _SYS_HEAPINFO = 6, 7, 0x15, 0x16
_SYS_ISTTY, _SYS_FLEN, _SYS_CLOCK, _SYS_TIME, _SYS_ERRNO = 0x09, 0x0C, 0x10, 0x11, 0x13
_SYS_EXIT, _SYS_ELAPSED, _SYS_TICKFREQ, _SYS_EXIT_EXTENDED = 0x18, 0x30, 0x31, 0x20
_APPLICATION_EXIT = 0x20026
_CONSOLE = 1
_LAST_STANDARD_HANDLE = 2  # 0 to 2 are the console, also for programs that never open it
_FAILED = 0xFFFFFFFF
_MOST_TEXT = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` goes to r0; `exit_status` is set when the program is over."""

    value: int
    exit_status: int | None = None


class Semihosting:
    """`elapsed()` gives the instructions executed so far; clocks derive from it, so that runs are repeatable.

    `send` takes console output, `dialogue` gives console input; `stack` is the stack pointer at reset, which programs
    ask for that have no vector table.
    """

    def __init__(
        self,
        memory: BoardMemory,
        clock_hz: int,
        elapsed: Callable[[], int],
        send: Callable[[bytes], None],
        dialogue: Dialogue,
        stack: int,
    ) -> None:
        self._dialogue = dialogue
        self._stack = stack
        self._memory = memory
        self._clock_hz = clock_hz
        self._elapsed = elapsed
        self._send = send

    def call(self, operation: int, argument: int) -> Answer:
        """Serve the operation in r0 with the argument in r1."""
        if operation in (_SYS_EXIT, _SYS_EXIT_EXTENDED):
            return self._exit(operation, argument)
        if operation in (_SYS_WRITEC, _SYS_WRITE0, _SYS_WRITE):
            return Answer(self._write(operation, argument))
        if operation in (_SYS_READ, _SYS_READC):
            return Answer(self._dialogue.take() if operation == _SYS_READC else self._read(argument))
        if operation == _SYS_GET_CMDLINE:
            return Answer(self._command_line(argument))
        if operation == _SYS_HEAPINFO:
            # The program's own linker symbols say where the heap is; the stack is where reset has put it.
            self._store(self._field(argument, 0), (0, 0, self._stack, 0))
            return Answer(0)
        if operation == _SYS_OPEN:
            name = self._memory.text(self._field(argument, 0), _MOST_TEXT)
            return Answer(_CONSOLE if name == b":tt" else _FAILED)
        if operation == _SYS_CLOCK:
            return Answer(self._elapsed() * 100 // self._clock_hz)
        if operation == _SYS_TIME:
            return Answer(self._elapsed() // self._clock_hz)
        if operation == _SYS_ELAPSED:
            if self._memory.writable_at(argument) and self._memory.writable_at(argument + 7):
                self._memory.write(argument, self._elapsed().to_bytes(8, "little"))
            return Answer(0)
        if operation == _SYS_TICKFREQ:
            return Answer(self._clock_hz & 0xFFFFFFFF)
        if operation in (_SYS_CLOSE, _SYS_ISTTY, _SYS_FLEN, _SYS_ERRNO):
            return Answer(1 if operation == _SYS_ISTTY else 0)
        return Answer(_FAILED)

    def _exit(self, operation: int, argument: int) -> Answer:
        if operation == _SYS_EXIT:  # on 32-bit cores the argument is the reason itself, without a status
            return Answer(0, 0 if argument == _APPLICATION_EXIT else 1)
        reason, status = self._field(argument, 0), self._field(argument, 1)
        return Answer(0, status if reason == _APPLICATION_EXIT else status or 1)

    def _write(self, operation: int, argument: int) -> int:
        if operation == _SYS_WRITEC:
            text = self._memory.peek(argument, 1)
        elif operation == _SYS_WRITE0:
            text = self._memory.text(argument, _MOST_TEXT)
        elif self._field(argument, 0) > _LAST_STANDARD_HANDLE:
            return self._field(argument, 2)  # nothing of it was written
        else:
            text = self._memory.peek(self._field(argument, 1), min(self._field(argument, 2), _MOST_TEXT))
        self._send(text or b"")
        return 0

    def _read(self, argument: int) -> int:
        """Returns how many bytes are missing of those asked for; a line is handed over at a time, as on a terminal."""
        buffer, wanted = self._field(argument, 1), self._field(argument, 2)
        text = bytearray()
        while len(text) < wanted and self._dialogue.waiting and text[-1:] != b"\n":
            text.append(self._dialogue.take())
        if text and self._memory.writable_at(buffer) and self._memory.writable_at(buffer + len(text) - 1):
            self._memory.write(buffer, bytes(text))
        return wanted - len(text)

    def _command_line(self, argument: int) -> int:
        """An empty command line."""
        buffer, room = self._field(argument, 0), self._field(argument, 1)
        if not room or not self._memory.writable_at(buffer) or not self._memory.writable_at(argument + 4):
            return _FAILED
        self._memory.write(buffer, b"\0")
        self._store(argument + 4, (0,))
        return 0

    def _store(self, address: int, values: tuple[int, ...]) -> None:
        if self._memory.writable_at(address) and self._memory.writable_at(address + 4 * len(values) - 1):
            self._memory.write(address, b"".join(value.to_bytes(4, "little") for value in values))

    def _field(self, block: int, index: int) -> int:
        return self._memory.word(block + 4 * index) or 0
