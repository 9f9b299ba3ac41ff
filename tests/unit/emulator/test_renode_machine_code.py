"""The machine code that Renode's translator calls at each block does what the C# beside it does, on both processors."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import pytest
import unicorn
from unicorn import arm64_const, x86_const

from mcu_harness.emulator.renode.server import csharp_source

CODE, DATA, STACK = 0x10000, 0x20000, 0x40000
STATE, BUFFER, OTHERS = DATA, DATA + 0x1000, 0x80000
POINTER = DATA + 0x800
COUNTER, HOOK, BACK = 0x50000, 0x50100, 0x50200
KNOWN, KNOWN_SIZE, NO_LIMIT = 0x0800_0000, 0x1000, 0xFFFF_FFFF
EXECUTED = 0x1_2345_6789  # more than the entry has room for


class Machine:
    """One of the processors, with the code placed and its counter, hook and caller as stops."""

    def __init__(self, name: str) -> None:
        source = csharp_source("MachineCode.cs")
        body = source[source.index(f"byte[] {name} =") :]
        lines = (line.split("//")[0] for line in body[: body.index("};")].splitlines())
        code = bytes(int(value, 16) for line in lines for value in re.findall("0x([0-9A-F]{2}),", line))
        self.is_arm = name == "Arm64"
        self.engine = (
            unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
            if self.is_arm
            else unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        )
        for start, size in (
            (CODE, 0x1000),
            (DATA, 0x8000),
            (STACK - 0x1000, 0x1000),
            (COUNTER, 0x1000),
            (OTHERS, 1 << 17),
        ):
            self.engine.mem_map(start, size)
        self.engine.mem_write(CODE, code + struct.pack("<Q", STATE))
        state = (BUFFER, NO_LIMIT, KNOWN, KNOWN_SIZE, OTHERS, COUNTER, HOOK, POINTER, 0, 0, 0, 0)
        self.engine.mem_write(STATE, struct.pack("<12Q", *state))
        # The counter spoils what a function may spoil, and returns.
        self.engine.mem_write(COUNTER, self._counter())

    def _counter(self) -> bytes:
        if not self.is_arm:
            spoil = b"".join(
                bytes.fromhex(code) for code in (["4831ff", "4831f6", "4831d2", "4831c9", "4d31c0", "4d31c9"])
            )
            return spoil + b"\x48\xb8" + struct.pack("<Q", EXECUTED) + b"\xc3"
        spoil = [0xD2800000 | register for register in range(1, 18)]  # movz x1..x17, #0
        value = [0xD2800000 | (EXECUTED & 0xFFFF) << 5, 0xF2A00000 | (EXECUTED >> 16 & 0xFFFF) << 5]
        value += [0xF2C00000 | (EXECUTED >> 32 & 0xFFFF) << 5]
        return struct.pack(f"<{len(spoil) + len(value) + 1}I", *spoil, *value, 0xD65F03C0)

    def begin(self, address: int, instructions: int) -> str:
        """What becomes of a block: "goes on", or "hook" with the arguments unchanged and the stack as it was."""
        engine = self.engine
        if self.is_arm:
            names = (arm64_const.UC_ARM64_REG_X0, arm64_const.UC_ARM64_REG_X1, arm64_const.UC_ARM64_REG_SP)
            engine.reg_write(arm64_const.UC_ARM64_REG_LR, BACK)
            stack = STACK
        else:
            names = (x86_const.UC_X86_REG_RDI, x86_const.UC_X86_REG_RSI, x86_const.UC_X86_REG_RSP)
            stack = STACK - 8
            engine.mem_write(stack, struct.pack("<Q", BACK))
        for name, value in zip(names, (address, 0xDEAD_0000_0000_0000 | instructions, stack), strict=True):
            engine.reg_write(name, value)
        ends: list[int] = []
        hook = engine.hook_add(unicorn.UC_HOOK_CODE, lambda uc, at, size, _: self._stop(ends, at))
        engine.emu_start(CODE, 0, count=200)
        engine.hook_del(hook)
        (end,) = ends
        if end == HOOK:
            got = [engine.reg_read(name) for name in names]
            assert (got[0], got[1] & 0xFFFFFFFF, got[2]) == (address, instructions, stack)
            return "hook"
        result = engine.reg_read(arm64_const.UC_ARM64_REG_W0 if self.is_arm else x86_const.UC_X86_REG_EAX)
        assert (end, result, engine.reg_read(names[2])) == (BACK, 1, STACK)
        return "goes on"

    def _stop(self, ends: list[int], at: int) -> None:
        if at in (HOOK, BACK):
            ends.append(at)
            self.engine.emu_stop()

    def set(self, slot: int, value: int) -> None:
        self.engine.mem_write(STATE + 8 * slot, struct.pack("<Q", value))

    def entries(self) -> list[tuple[int, int]]:
        (end,) = struct.unpack("<Q", self.engine.mem_read(STATE, 8))
        return list(struct.iter_unpack("<II", bytes(self.engine.mem_read(BUFFER, end - BUFFER))))


@pytest.fixture(params=["X64", "Arm64"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    yield Machine(request.param)


def test_known_code_goes_on_and_is_entered_with_the_instructions_before_it(machine: Machine) -> None:
    addresses = [KNOWN, KNOWN + KNOWN_SIZE - 2]
    assert [machine.begin(address, 3) for address in addresses] == ["goes on"] * 2
    assert machine.entries() == [(address, EXECUTED & 0xFFFFFFFF) for address in addresses]


def test_the_hook_is_called_from_the_limit_on(machine: Machine) -> None:
    machine.set(1, BUFFER + 16)
    assert [machine.begin(KNOWN, 3) for _ in range(3)] == ["goes on", "hook", "hook"]
    machine.set(1, 0)  # the next one, as it was asked
    assert machine.begin(KNOWN, 3) == "hook"
    assert len(machine.entries()) == 4


@pytest.mark.parametrize("address", [KNOWN - 2, KNOWN + KNOWN_SIZE, 0, 0xFFFFFFFE, 0x2000_1234])
def test_other_code_calls_the_hook_until_it_is_known(machine: Machine, address: int) -> None:
    assert machine.begin(address, 3) == "hook"
    place = address >> 1 & (1 << 14) - 1
    machine.engine.mem_write(OTHERS + 8 * place, struct.pack("<Q", address << 32 | 3))
    assert machine.begin(address, 3) == "goes on"
    assert machine.begin(address, 4) == "hook"  # more of it
    assert len(machine.entries()) == 3


def test_the_hook_is_called_above_a_frame_and_in_the_middle_of_its_caller(machine: Machine) -> None:
    def begins(pointer: int, address: int = KNOWN) -> str:
        machine.engine.mem_write(POINTER, struct.pack("<I", pointer))
        return machine.begin(address, 3)

    assert begins(0) == begins(0xFFFF_FFFC) == "goes on", "nothing is watched"
    machine.set(8, 0x2000_1001)
    machine.set(9, 0x100)
    assert [begins(0x2000_1000 + above) for above in (-4, 0, 4, 0x100, 0x104)] == [
        "goes on", "goes on", "hook", "hook", "goes on",
    ]  # fmt: skip
    machine.set(9, 0)
    machine.set(10, KNOWN + 0x41)
    machine.set(11, 0x1F)
    assert [begins(0, KNOWN + 0x40 + into) for into in (-2, 0, 2, 0x1E, 0x20)] == [
        "goes on", "goes on", "hook", "hook", "goes on",
    ]  # fmt: skip
