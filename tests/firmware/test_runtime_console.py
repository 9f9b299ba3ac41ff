"""Console drivers against models of their devices' registers, written from the same reference manuals."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import unicorn

from bare_machine import BareMachine
from mcu_harness.base import process
from mcu_harness.hardware.board import RegisterStep
from mcu_harness.image.build import FIRMWARE, build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain
from sample_boards import TARGETS, board
from sample_firmware import firmware

TEXT = "mcu-harness: start\r\nmcu-harness: done\r\n"
BASE = 0x4000_4400
GATES = 0x4002_3000


@dataclass
class Device:
    """Register offsets; values are bit masks. `ready_when` is (register, bit); `on` are bits that must be set first."""

    ready_when: tuple[int, int]
    data: int
    on: dict[int, int]
    answers: bool = True
    registers: dict[int, int] = field(default_factory=dict)
    sent: bytearray = field(default_factory=bytearray)

    def read(self, address: int, size: int) -> int:
        offset = address - BASE
        value = self.registers.get(offset, 0)
        return value | self.ready_when[1] if offset == self.ready_when[0] and self.answers else value

    def write(self, address: int, size: int, value: int) -> None:
        offset = address - BASE
        if offset == self.data:
            for register, bits in self.on.items():
                assert self.registers.get(register, 0) & bits == bits, f"register {register:#x} is not switched on"
            self.sent.append(value)
        else:
            self.registers[offset] = value


DEVICES = {
    "stm32_usart_v1": lambda: Device((0x00, 1 << 7), 0x04, {0x0C: 1 << 13 | 1 << 3}),
    "stm32_usart_v2": lambda: Device((0x1C, 1 << 7), 0x28, {0x00: 1 << 0 | 1 << 3}),
    "sam_sercom_usart": lambda: Device((0x18, 1), 0x28, {0x00: 1 << 1 | 1 << 2 | 1 << 30, 0x04: 1 << 16}),
    "nxp_lpuart": lambda: Device((0x14, 1 << 23), 0x1C, {0x18: 1 << 19}),
}


def machine_with(driver: str, device: Device, toolchain: Toolchain, core: str = "cortex-m4") -> BareMachine:
    target = board(core, driver=driver, base=BASE)
    machine = BareMachine(read_program(build(firmware(), target, toolchain).elf), target)
    machine.device(BASE, device.read, device.write)
    return machine


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
@pytest.mark.parametrize("driver", DEVICES)
def test_the_banner_goes_out_once_the_device_is_switched_on(driver: str, core: str, toolchain: Toolchain) -> None:
    device = DEVICES[driver]()
    machine_with(driver, device, toolchain, core).reset()
    assert device.sent.decode() == TEXT


@pytest.mark.parametrize("driver", DEVICES)
def test_a_device_that_never_answers_delays_but_does_not_hang(driver: str, toolchain: Toolchain) -> None:
    device = DEVICES[driver]()
    device.answers = False
    machine_with(driver, device, toolchain).reset(limit=1_500_000)
    assert device.sent == b""


def test_nordic_uarte_fetches_its_bytes_from_ram(toolchain: Toolchain) -> None:
    device = Device((0x10000, 0), 0x10000, {})
    machine = machine_with("nrf_uarte", device, toolchain)
    sent = bytearray()

    def write(address: int, size: int, value: int) -> None:
        device.write(address, size, value)
        if address == BASE + 0x008 and value == 1:
            assert device.registers[0x500] == 8
            start = device.registers[0x544]
            assert 0x2000_0000 <= start < 0x2000_4000, "EasyDMA reads RAM only"
            sent.extend(machine.read(start, device.registers[0x548]))
            device.registers[0x120] = 1

    page = BASE & ~0xFFF
    machine.unicorn.mem_unmap(page, 0x1000)
    machine.device(BASE, device.read, write)
    machine.reset()
    assert sent.decode() == TEXT


def test_semihosting_hands_over_text(toolchain: Toolchain) -> None:
    target = board(driver="semihosting")
    machine = BareMachine(read_program(build(firmware(), target, toolchain).elf), target)
    said = bytearray()

    def interrupt(engine: unicorn.Uc, number: int, _: object) -> None:
        assert machine.register(0) == 4, "SYS_WRITE0"
        said.extend(machine.read(machine.register(1), 8).split(b"\0")[0])
        engine.reg_write(unicorn.arm_const.UC_ARM_REG_PC, (engine.reg_read(unicorn.arm_const.UC_ARM_REG_PC) + 2) | 1)

    machine.unicorn.hook_add(unicorn.UC_HOOK_INTR, interrupt)
    machine.reset()
    assert said.decode() == TEXT


def test_board_steps_are_done_in_order_before_the_device_is_touched(toolchain: Toolchain) -> None:
    device = DEVICES["stm32_usart_v2"]()
    steps = (
        RegisterStep(GATES + 0x10, set=0x5),
        RegisterStep(GATES + 0x20, set=0x10, clear=0x30),
        RegisterStep(BASE + 0x0C, set=139),
    )
    target = board(driver="stm32_usart_v2", base=BASE, enable=steps)
    machine = BareMachine(read_program(build(firmware(), target, toolchain).elf), target)
    machine.device(BASE, device.read, device.write)
    gates = {GATES + 0x10: 0x100, GATES + 0x20: 0xFFFF_FFFF}
    writes: list[tuple[int, int]] = []

    def write(address: int, size: int, value: int) -> None:
        assert not device.sent and size == 4
        writes.append((address, value))
        gates[address] = value

    machine.device(GATES, lambda address, size: gates[address], write)
    machine.reset()
    assert writes == [(GATES + 0x10, 0x105), (GATES + 0x20, 0xFFFF_FFCF), (GATES + 0x20, 0xFFFF_FFDF)]
    assert device.registers[0x0C] == 139
    assert device.sent.decode() == TEXT


def test_without_a_console_nothing_outside_memory_is_touched(toolchain: Toolchain) -> None:
    target = board("cortex-m0")
    machine = BareMachine(read_program(build(firmware(), target, toolchain).elf), target)
    machine.reset()
    assert machine.system == {}


@pytest.mark.parametrize("target", TARGETS[::4], ids=lambda target: "-".join(map(str, target)))
def test_runtime_compiles_without_a_warning(
    target: tuple[str, str, bool], toolchain: Toolchain, tmp_path: Path
) -> None:
    flags = toolchain.compile_flags(board(*target))
    include = [f"-I{FIRMWARE / 'include'}", f"-I{FIRMWARE / 'runtime'}"]
    strict = ["-Wpedantic", "-Wmissing-prototypes", "-Wshadow", "-Wconversion", "-Werror"]
    environment = toolchain.environment(tmp_path / "lasting", tmp_path / "passing")
    sources = sorted((FIRMWARE / "runtime").rglob("*.c"))
    assert sources
    for source in sources:
        command = [*toolchain.command, *flags, *strict, *include, "-c", source, "-o", tmp_path / "x.o"]
        done = process.run(command, 120, env=environment)
        assert done.exit_code == 0, done.output
