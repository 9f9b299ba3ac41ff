"""A program as it lies in a board's memory: what Renode is given before a run, and what the harness looks up in it."""

from __future__ import annotations

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.renode.protocol import Image
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


class LoadedProgram:
    """`vectors` is where the vector table lies, None for the board's own place for it.

    Raises EmulatorError when a segment lies in no memory of the board.
    """

    def __init__(self, program: Program, board: Board, vectors: int | None = None) -> None:
        self._program = program
        self._pieces = [(segment.load_address, segment.data) for segment in program.segments if segment.data]
        self.vectors = board.code_memory.origin + board.vector_offset if vectors is None else vectors
        for address, data in self._pieces:
            if not any(m.origin <= address and address + len(data) <= m.end for m in board.memories):
                memories = ", ".join(f"{m.name} {m.origin:#010x}..{m.end - 1:#010x}" for m in board.memories)
                raise EmulatorError(
                    f"{program.path}: a segment at {address:#010x}..{address + len(data) - 1:#010x} "
                    "does not lie in one memory of the board",
                    hint=f"memories: {memories}; link for this board, or choose the one it was linked for",
                )
        # Code that stays where it is loaded; of several pieces the largest.
        fixed = [s for s in program.segments if s.executable and s.address == s.load_address]
        code = max(((s.address, len(s.data)) for s in fixed), key=lambda area: area[1], default=(0, 0))
        flash = tuple((m.origin, m.size) for m in board.memories if m.kind != "ram" and not m.alias_of)
        self.image = Image(tuple(self._pieces), self.vectors, code, flash)

    def add_code(self, address: int, data: bytes) -> None:
        """Code that is not where the program was loaded; the newest holds."""
        self._pieces.insert(0, (address, data))

    def code(self, address: int, size: int) -> bytes:
        """The bytes from `address` on, as far as any are known: at most `size`.

        A block may end behind one that it begins in: then older pieces know the rest.
        """
        found = b""
        while len(found) < size:
            at = address + len(found)
            data = next((data[at - base :] for base, data in self._pieces if 0 <= at - base < len(data)), b"")
            if not data:
                break
            found += data[: size - len(found)]
        return found
