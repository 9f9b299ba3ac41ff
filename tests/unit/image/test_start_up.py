"""How firmware starts is read from its image: vector table, stack, what lies below it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.base.errors import ElfError
from mcu_harness.image.program import Program, Section, Segment, Symbol
from mcu_harness.image.start_up import check_start, find_boot
from sample_boards import FLASH, SRAM, board

TOP = SRAM + 0x1000


def image(*pieces: tuple[int, bytes], entry: int = 0, bss: int = 0, symbols: tuple[Symbol, ...] = ()) -> Program:
    segments = tuple(Segment(at, at, data, len(data), at < SRAM, at >= SRAM) for at, data in pieces)
    sections = [Section(f".{i}", at, at, len(data), True, at < SRAM, at >= SRAM) for i, (at, data) in enumerate(pieces)]
    if bss:
        sections.append(Section(".bss", SRAM, SRAM, bss, False, False, True))
    return Program(Path("x.elf"), entry, segments, tuple(sections), symbols, (), "")


def table(stack: int, *handlers: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in (stack, *handlers)).ljust(0x100, b"\0")


def test_table_at_the_boards_own_place_is_used() -> None:
    boot = find_boot(image((FLASH, table(TOP, FLASH + 0x41))), board())
    assert (boot.vectors, boot.first, boot.stack_top) == (FLASH, FLASH + 0x40, TOP)


def test_table_behind_a_boot_loaders_room_is_found_by_the_entry() -> None:
    boot = find_boot(image((FLASH + 0x2000, table(TOP, FLASH + 0x2041)), entry=FLASH + 0x2040), board())
    assert (boot.vectors, boot.first) == (FLASH + 0x2000, FLASH + 0x2040)


def test_table_of_an_image_without_an_entry_needs_handlers_that_look_like_some() -> None:
    real = table(TOP, FLASH + 0x2041, FLASH + 0x2051, FLASH + 0x2061)
    assert find_boot(image((FLASH + 0x2000, real)), board()).vectors == FLASH + 0x2000
    chance = table(TOP, FLASH + 0x2041, FLASH + 0x2051, 1234)
    assert find_boot(image((FLASH + 0x2000, chance)), board()).vectors is None


def test_without_a_table_execution_starts_at_the_entry_with_the_stack_at_its_symbol_or_the_memorys_end() -> None:
    code = (FLASH, bytes(64))
    assert find_boot(image(code, entry=FLASH + 8), board()) == find_boot(image(code, entry=FLASH + 8), board())
    boot = find_boot(image(code, entry=FLASH + 8), board())
    assert (boot.vectors, boot.first, boot.stack_top) == (None, FLASH + 8, board().data_memory.end)
    symbol = Symbol("__StackTop", TOP, 0, "other", "")
    assert find_boot(image(code, entry=FLASH + 8, symbols=(symbol,)), board()).stack_top == TOP


def test_stack_may_grow_down_to_the_data_and_no_further() -> None:
    code = (FLASH, table(TOP, FLASH + 0x41))
    assert find_boot(image(code), board()).stack_limit == SRAM
    assert find_boot(image(code, bss=0x123), board()).stack_limit == SRAM + 0x124
    above = image(code, (TOP + 0x10, b"data above the stack"), bss=0x20)
    assert find_boot(above, board()).stack_limit == SRAM + 0x20


def test_a_table_of_another_board_is_refused_with_its_stack_and_nothing_is_started_at_the_entry() -> None:
    foreign = image((FLASH, table(0x2FFF_0000, FLASH + 0x41)), entry=FLASH + 8)
    with pytest.raises(ElfError, match="begin at 0x2fff0000") as caught:
        check_start(foreign, board(), find_boot(foreign, board()))
    assert "another board" in caught.value.hint
    none = image((FLASH, bytes(64)), entry=FLASH + 8)  # not a table at all
    with pytest.raises(ElfError, match="no Thumb code at its entry"):
        check_start(none, board(), find_boot(none, board()))
