"""memcpy, memmove, memset and memcmp on real cores' instruction sets, against Python's bytes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import unicorn

from bare_machine import BareMachine
from mcu_harness.image.build import build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain
from sample_boards import SRAM, board
from sample_firmware import firmware

ROOM = SRAM + 0x1000
SIZES = (*range(20), 31, 32, 33, 47, 64, 65, 130)

USING_ALL = firmware(
    """
    memcpy(room, room + 100, size);
    memmove(room, room + 1, size);
    memset(room, 1, size);
    room[0] = (uint8_t)memcmp(room, room + 50, size);
    """,
    declarations="""
    #include <stddef.h>
    void *memcpy(void *, const void *, size_t);
    void *memmove(void *, const void *, size_t);
    void *memset(void *, int, size_t);
    int memcmp(const void *, const void *, size_t);
    volatile uint32_t size;
    uint8_t room[200];
    """,
)
CLEARING = firmware("room = (struct big){{0}}; copy = room;", declarations=(
    "volatile struct big { uint8_t bytes[200]; } room, copy;"
))  # fmt: skip


@pytest.fixture(params=["cortex-m0", "cortex-m3", "cortex-m4"])
def machine(request: pytest.FixtureRequest, toolchain: Toolchain) -> BareMachine:
    target = board(request.param)
    machine = BareMachine(read_program(build(USING_ALL, target, toolchain).elf), target)
    if not target.core.architecture.has_unaligned:

        def check(_: object, kind: int, address: int, size: int, value: int, __: object) -> None:
            assert address % size == 0, f"{size} bytes at {address:#x}"

        machine.unicorn.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, check)
    return machine


def fill(machine: BareMachine) -> bytearray:
    content = bytearray(random.Random(3).randbytes(0x400))
    machine.unicorn.mem_write(ROOM, bytes(content))
    return content


@pytest.mark.parametrize("name", ["memcpy", "memmove"])
def test_copies_between_all_alignments(name: str, machine: BareMachine) -> None:
    for size in SIZES:
        for to in range(4):
            for start in range(0x200, 0x204):
                expected = fill(machine)
                expected[to : to + size] = expected[start : start + size]
                assert machine.call(name, ROOM + to, ROOM + start, size) == ROOM + to
                assert machine.read(ROOM, len(expected)) == expected, (size, to, start)


def test_overlapping_areas_move_both_ways(machine: BareMachine) -> None:
    for size in SIZES:
        for distance in (-33, -17, -16, -5, -4, -3, -1, 0, 1, 2, 4, 7, 16, 17, 33):
            for start in (0x100, 0x103):
                expected = fill(machine)
                to = start + distance
                expected[to : to + size] = bytes(expected[start : start + size])
                machine.call("memmove", ROOM + to, ROOM + start, size)
                assert machine.read(ROOM, len(expected)) == expected, (size, distance, start)


def test_set_fills_exactly_what_it_was_given(machine: BareMachine) -> None:
    for size in SIZES:
        for to in range(4):
            expected = fill(machine)
            expected[to : to + size] = b"\xa7" * size
            assert machine.call("memset", ROOM + to, 0x5A7, size) == ROOM + to
            assert machine.read(ROOM, len(expected)) == expected, (size, to)


def test_compare_orders_by_the_first_byte_that_differs(machine: BareMachine) -> None:
    for left, right, answer in ((b"abc", b"abc", 0), (b"abc", b"abd", -1), (b"\xff", b"\x01", 1), (b"", b"", 0)):
        machine.unicorn.mem_write(ROOM, left + b"x")
        machine.unicorn.mem_write(ROOM + 0x100, right + b"y")
        got = machine.call("memcmp", ROOM, ROOM + 0x100, len(left))
        assert got == answer & 0xFFFF_FFFF


def test_long_copies_cost_about_an_instruction_a_byte_or_less(machine: BareMachine) -> None:
    steps = [0]
    machine.unicorn.hook_add(unicorn.UC_HOOK_CODE, lambda *_: steps.__setitem__(0, steps[0] + 1))
    machine.call("memcpy", ROOM, ROOM + 0x1000, 1024)
    copied = steps[0]
    machine.call("memset", ROOM, 0, 1024)
    assert copied < 1024 and steps[0] - copied < 600


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_what_compilers_call_by_themselves_is_there(core: str, toolchain: Toolchain, tmp_path: Path) -> None:
    machine = BareMachine(read_program(build(CLEARING, board(core), toolchain, tmp_path).elf), board(core))
    machine.unicorn.mem_write(machine.address("room"), b"\1" * 200)
    machine.call("mcu_infer")
    assert machine.read(machine.address("room"), 200) == bytes(200)
    assert machine.read(machine.address("copy"), 200) == bytes(200)
