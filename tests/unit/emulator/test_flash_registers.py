"""Registers of flash controllers: bits as reference manuals give them, locks that want their keys, and when flash may be written."""

from __future__ import annotations

import pickle

import pytest

from mcu_harness.emulator.unicorn.flash import FlashRegisters
from mcu_harness.hardware.board import FlashController
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.hardware.flash_controllers import FAMILIES

ONES = 0xFFFF_FFFF
KEYS = (0x4567_0123, 0xCDEF_89AB)
# By family: registers with what they read after reset, and after all ones were written to each once it was unlocked.
READ = {
    "stm32f1": {0x00: (0x30, 0x3F), 0x0C: (0, 0), 0x10: (0x80, 0x14B7)},
    "stm32f4": {0x00: (0, 0x1F07), 0x0C: (0, 0), 0x10: (1 << 31, 0x8300_037F)},
    "stm32f7": {0x00: (0, 0xB0F), 0x0C: (0, 0), 0x10: (1 << 31, 0x8300_037F)},
    "stm32l0": {0x00: (0, 0x7B), 0x04: (7, 0x0083_871F), 0x18: (0xC, 0xE)},
    "stm32l1": {0x00: (0, 0x1F), 0x04: (7, 0x0003_871F), 0x18: (0xC, 0xE)},
    "stm32l4": {0x00: (0x600, 0x7F0F), 0x10: (0, 0), 0x14: (0xC000_0000, 0xC704_8FFF)},
    "stm32g0": {0x00: (0x4_0600, 0x5_0F07), 0x10: (0, 0), 0x14: (0xC000_0000, 0xD704_1FFF)},
    "stm32g0_dual": {0x00: (0x4_0600, 0x5_0F07), 0x10: (0, 0), 0x14: (0xC000_0000, 0xF704_BFFF)},
    "stm32l5": {0x00: (0, 0xE00F), 0x20: (0, 0), 0x28: (0xC000_0000, 0xC300_8BFF)},
    "stm32u5": {0x00: (0, 0x790F), 0x20: (0, 0), 0x28: (0xC000_0000, 0xC300_CBFF)},
    "stm32wba": {0x00: (1, 0x590F), 0x20: (0, 0), 0x28: (0xC000_0000, 0xC300_43FF)},
    "stm32h7": {0x00: (0x37, 0x3F), 0x0C: (0x31, 0x1FEF_873F), 0x10: (0, 0), 0x14: (0, 0), 0x10C: (0x31, 0x1FEF_873F)},
    "stm32h7a3": {0x00: (0x13, 0x3F), 0x0C: (1, 0x1FAF_9FCF), 0x110: (0, 0), 0x10C: (1, 0x1FAF_9FCF)},
    "nrf_nvmc": {0x400: (1, 1), 0x504: (0, 3), 0x51C: (0xA, 0x7F), 0x540: (0, 0x101)},
    "nrf53_nvmc": {0x400: (1, 1), 0x504: (0, 7), 0x51C: (0xA, 0x7F), 0x584: (0, 3)},
    "sam_nvm": {0x00: (0, 0xFF7F), 0x04: (0x80, 0x7_039E), 0x14: (1, 1), 0x18: (0, 0)},
    "sam_nvm_b": {0x00: (4, 0xFFFC), 0x04: (0, 0), 0x10: (0x1_0001, 0x1_0001)},
    "sam_eefc": {0x00: (0, 0x0401_0F01), 0x04: (0, 0), 0x08: (1, 1)},
}
# What a program writes, after which it may write to flash: (offset, value).
OPENS = {
    "stm32f1": [(0x04, KEYS[0]), (0x04, KEYS[1]), (0x10, 1)],
    "stm32l0": [(0x0C, 0x89ABCDEF), (0x0C, 0x02030405), (0x10, 0x8C9DAEBF), (0x10, 0x13141516)],
    "stm32l4": [(0x08, KEYS[0]), (0x08, KEYS[1]), (0x14, 1)],
    "stm32l5": [(0x08, KEYS[0]), (0x08, KEYS[1]), (0x28, 1)],
    "stm32h7": [(0x104, KEYS[0]), (0x104, KEYS[1]), (0x10C, 2)],
    "nrf_nvmc": [(0x504, 1)],
    "sam_nvm": [(0x00, 0xA504)],
    "sam_nvm_b": [(0x04, 0xA515)],
    "sam_eefc": [(0x04, 0x5A00_0001)],
}


def made(family: str) -> tuple[FlashRegisters, list[bool]]:
    told: list[bool] = []
    return FlashRegisters(FlashController(0x4002_2000, FAMILIES[family]), told.append), told


@pytest.mark.parametrize("family", FAMILIES)
def test_registers_keep_the_bits_that_silicon_has(family: str) -> None:
    for at, (reset, ones) in READ[family].items():
        registers, _ = made(family)
        assert registers.read(at, 4) == reset, hex(at)
        for lock in FAMILIES[family].locks:
            for key in lock.keys:
                registers.write(lock.key_register, 4, key)
        registers.write(at, 4, ONES)
        assert registers.read(at, 4) == ones, hex(at)
        assert registers.read(at + 1, 1) == ones >> 8 & 0xFF


@pytest.mark.parametrize("family", OPENS)
def test_flash_is_written_after_the_last_step_and_no_earlier(family: str) -> None:
    for missing in range(len(OPENS[family]) + 1):
        registers, told = made(family)
        for at, value in OPENS[family][:missing]:
            registers.write(at, 4, value)
        assert told[-1] is (missing == len(OPENS[family]))
    for left_out in range(len(OPENS[family])):
        registers, told = made(family)
        for at, value in (step for n, step in enumerate(OPENS[family]) if n != left_out):
            registers.write(at, 4, value)
        assert told[-1] is False


def test_a_wrong_key_locks_until_reset() -> None:
    registers, _ = made("stm32f4")
    for value in (KEYS[0], 0x1234, *KEYS):
        registers.write(0x04, 4, value)
    registers.write(0x10, 4, 1)
    assert registers.read(0x10, 4) == 1 << 31


def test_what_was_locked_again_is_unlocked_again() -> None:
    registers, told = made("stm32f4")
    for _ in range(2):
        for value in KEYS:
            registers.write(0x04, 4, value)
        registers.write(0x10, 4, 0x201)
        assert told[-1] and registers.read(0x10, 4) == 0x201
        registers.write(0x10, 4, 1 << 31)
        assert not told[-1] and registers.read(0x10, 4) == 1 << 31


def test_the_end_of_an_operation_is_said_and_cleared() -> None:
    registers, _ = made("stm32f1")
    assert registers.read(0x0C, 4) == 0
    for at, value in ((0x04, KEYS[0]), (0x04, KEYS[1]), (0x10, 0x2), (0x10, 0x42)):
        registers.write(at, 4, value)
    assert (registers.read(0x0C, 4), registers.read(0x10, 4)) == (0x20, 0x2)
    registers.write(0x0C, 4, 0x20)
    assert registers.read(0x0C, 4) == 0


def test_registers_that_are_not_known_keep_what_is_written() -> None:
    registers, _ = made("stm32f4")
    registers.write(0x14, 4, 0x0FFF_AAED)
    assert registers.read(0x14, 4) == 0x0FFF_AAED


def test_boards_with_a_controller_can_be_sent_to_other_processes() -> None:
    boards = [board for board in map(find_board, board_names()) if board.flash_controller is not None]
    assert len(boards) > 20
    for board in boards:
        assert pickle.loads(pickle.dumps(board)) == board
        assert hash(board.flash_controller) == hash(board.flash_controller)
