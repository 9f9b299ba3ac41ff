"""How an image starts, and where its stack is: read from the image and the board, nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mcu_harness.base.errors import ElfError
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program, Section

# Vector tables are aligned to their size, 32 words at least on cores that can move them (Armv7-M ARM, B3.2.5).
_ALIGNMENT = 128
_LARGEST_BOOT_LOADER = 1 << 20  # how far from the image's start its vector table is looked for
# SRAM and external RAM of the architecture's memory map (Armv7-M ARM, B3.1), and core-coupled memory below.
_RAM_OF_ANY_BOARD = ((0x1000_0000, 0x4000_0000), (0x6000_0000, 0xA000_0000))
_STACK_SYMBOLS = ("__StackTop", "_estack", "__stack_top", "__stack", "__initial_sp", "__INITIAL_SP", "_stack_top")


@dataclass(frozen=True, slots=True)
class Boot:
    """`vectors` is where the vector table lies, None without one: then execution starts with the image's entry.

    The stack grows down from `stack_top`; nothing of the image lies between `stack_limit` and there, but a heap may.
    """

    vectors: int | None
    first: int
    stack_top: int
    stack_limit: int


def find_boot(program: Program, board: Board) -> Boot:
    """How `program` starts on `board`."""
    vectors = next((at for at in _candidates(program, board) if _is_table(program, board, at)), None)
    if vectors is None:
        top, first = _stack_by_symbol(program, board), program.entry
    else:
        top, first = _word(program, vectors) & ~3, _word(program, vectors + 4) & ~1
    return Boot(vectors, first, top, _stack_limit(program, board, top))


def own_vectors(program: Program) -> int:
    """Where the vector table of a program for another core lies, whose memories no board file says: the one with the entry in it.

    Raises ElfError without one.
    """
    for segment in sorted(program.segments, key=lambda segment: segment.load_address):
        first = -(-segment.load_address // _ALIGNMENT) * _ALIGNMENT
        for at in range(first, segment.load_address + min(len(segment.data), _LARGEST_BOOT_LOADER), _ALIGNMENT):
            if program.entry and _word(program, at) and _word(program, at + 4) == program.entry | 1:
                return at
    raise ElfError(
        f"{program.path}: it has no vector table with its entry {program.entry:#010x} as the reset handler",
        hint="have the linker script name the reset handler by ENTRY, and keep the vectors at the start of the image",
    )


def check_start(program: Program, board: Board, boot: Boot) -> None:
    """Raises ElfError for an image with the vector table of another board, or with none and no entry to start at either."""
    if boot.vectors is not None:
        return
    foreign = next((at for at in _candidates(program, board) if _is_of_another_board(program, board, at)), None)
    if foreign is not None:
        stack, reset = _word(program, foreign), _word(program, foreign + 4)
        memories = ", ".join(f"{m.name} {m.origin:#010x} to {m.end:#010x}" for m in board.memories if m.kind == "ram")
        raise ElfError(
            f"{program.path}: its vector table at {foreign:#010x} does not fit {board.name}: the stack would begin at "
            f"{stack:#010x}, which is outside of its RAM, and the reset handler is at {reset & ~1:#010x}",
            hint=f"is it firmware for another board? RAM of this one: {memories}",
        )
    if not program.entry and not program.symbols:
        start = min(segment.load_address for segment in program.segments)
        raise ElfError(
            f"{program.path}: it has no vector table that fits {board.name}",
            hint=f"is it firmware for this board, and does it begin at {start:#010x}? "
            "For a .bin, `--load-address` (`load_address` in [firmware]) says where it goes",
        )
    if not any(start <= program.entry < end for start, end in program.code_ranges):
        raise ElfError(
            f"{program.path}: it has no vector table that fits {board.name}, and there is no Thumb code at its entry "
            f"{program.entry:#010x}",
            hint="build it for Arm Cortex-M, which runs Thumb code only, and link it for this board",
        )


def _candidates(program: Program, board: Board) -> Iterator[int]:
    """Where the vector table may be: the board's own place, then every aligned address of what is loaded."""
    yield board.code_memory.origin + board.vector_offset
    for segment in sorted(program.segments, key=lambda segment: segment.load_address):
        start = segment.load_address
        first = -(-start // _ALIGNMENT) * _ALIGNMENT
        yield from range(first, start + min(len(segment.data), _LARGEST_BOOT_LOADER), _ALIGNMENT)


def _is_table(program: Program, board: Board, address: int) -> bool:
    """Whether the words at `address` can be a stack pointer and a reset handler, which is the entry if one is known."""
    stack, reset = _word(program, address), _word(program, address + 4)
    in_ram = any(memory.kind == "ram" and memory.origin < stack <= memory.end for memory in board.memories)
    if not in_ram or not reset & 1:
        return False
    if address == board.code_memory.origin + board.vector_offset or (program.entry and reset & ~1 == program.entry):
        return any(start <= reset & ~1 < end for start, end in _places_of_code(program))
    # Elsewhere without an entry to compare with: the next handlers must look like handlers too.
    handlers = [_word(program, address + 4 * nth) for nth in range(2, 16)]
    real = [handler for handler in handlers if handler]
    return len(real) >= 2 and all(
        handler & 1 and any(start <= handler & ~1 < end for start, end in _places_of_code(program))
        for handler in (reset, *real)
    )


def _is_of_another_board(program: Program, board: Board, address: int) -> bool:
    """Whether the words at `address` are a vector table but for the stack pointer, which no RAM of `board` has.

    At the board's own place the reset handler has to be code; elsewhere it has to be the entry.
    """
    stack, reset = _word(program, address), _word(program, address + 4)
    could_be_ram = any(start < stack <= end for start, end in _RAM_OF_ANY_BOARD) and stack % 4 == 0
    if not could_be_ram or any(m.kind == "ram" and m.origin < stack <= m.end for m in board.memories):
        return False
    own = address == board.code_memory.origin + board.vector_offset
    is_code = bool(reset & 1) and any(start <= reset & ~1 < end for start, end in _places_of_code(program))
    return is_code and (own or reset & ~1 == program.entry)


def _places_of_code(program: Program) -> Iterator[tuple[int, int]]:
    return ((s.address, s.address + s.memory_size) for s in program.segments if s.executable)


def _word(program: Program, address: int) -> int:
    """The word that is loaded at `address`, 0 where nothing is."""
    return program.loaded_word(address) or 0


def _stack_by_symbol(program: Program, board: Board) -> int:
    """The stack's top by a customary symbol, else the end of the board's data memory."""
    names = {symbol.name: symbol.address for symbol in program.symbols if symbol.name in _STACK_SYMBOLS}
    for name in _STACK_SYMBOLS:
        address = names.get(name, 0)
        if any(memory.kind == "ram" and memory.origin < address <= memory.end for memory in board.memories):
            return address & ~7
    return board.data_memory.end


def _stack_limit(program: Program, board: Board, top: int) -> int:
    """The end of what lies below `top` in its memory: of the image's data, or the memory's start."""
    memory = next((m for m in board.memories if m.kind == "ram" and m.origin < top <= m.end), None)
    if memory is None:
        return top
    ends = [memory.origin]
    for section in program.sections:
        for start, size in _homes(section):
            if memory.origin <= start < top:
                ends.append(min(start + size, top))
    return min(-(-max(ends) // 4) * 4, top)


def _homes(section: Section) -> Iterator[tuple[int, int]]:
    """Where a section's bytes are: at run time, and before."""
    yield section.address, section.size
    if section.in_file:
        yield section.load_address, section.size
