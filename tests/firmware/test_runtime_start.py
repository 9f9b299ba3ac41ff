"""From reset to the last instruction: what every image does around the model."""

from __future__ import annotations

import pytest

from bare_machine import RAM_JUNK, BareMachine
from mcu_harness.image.build import build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain
from sample_boards import FLASH, SRAM, board
from sample_firmware import firmware

STATEFUL = firmware(
    "calls++; seen[calls & 3] = initial[calls & 3]; kept++;",
    declarations="""
    uint32_t calls, seen[4];
    uint32_t initial[4] = {10, 20, 30, 40};
    uint32_t kept __attribute__((section(".noinit")));
    """,
)
LANDMARKS = ("mcu_window_begin", "mcu_infer", "mcu_window_end", "mcu_exit")
FAULTS = ("mcu_nmi", "mcu_hard_fault", "mcu_memory_fault", "mcu_bus_fault", "mcu_usage_fault", "mcu_secure_fault")
OTHER_HANDLERS = ("mcu_supervisor_call", "mcu_debug_monitor", "mcu_pend_sv", "mcu_sys_tick")
VTOR, SHCSR, CPACR = 0xE000_ED08, 0xE000_ED24, 0xE000_ED88


def started(toolchain: Toolchain, core: str = "cortex-m4", fpu: str = "none") -> BareMachine:
    target = board(core, fpu)
    return BareMachine(read_program(build(STATEFUL, target, toolchain).elf), target)


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m3", "cortex-m4"])
def test_data_is_set_up_before_the_first_inference(core: str, toolchain: Toolchain) -> None:
    machine = started(toolchain, core)
    machine.reset(until="mcu_window_begin")
    assert [machine.word(machine.address("initial") + 4 * nth) for nth in range(4)] == [10, 20, 30, 40]
    assert machine.read(machine.address("calls"), 4) == bytes(4)
    assert machine.read(machine.address("seen"), 16) == bytes(16)
    assert machine.word(machine.address("mcu_inferences")) == 1
    assert machine.read(machine.address("kept"), 4) == bytes([RAM_JUNK]) * 4, ".noinit is left alone"


@pytest.mark.parametrize("inferences", [1, 3])
def test_the_main_loop_passes_its_landmarks_in_order(inferences: int, toolchain: Toolchain) -> None:
    machine = started(toolchain)
    passed: list[str] = []
    for name in LANDMARKS:
        machine.on(name, lambda name=name: passed.append(name))  # type: ignore[misc]
    written = machine.address("mcu_inferences")
    machine.on(
        "mcu_window_begin",
        lambda: len(passed) > 1 or machine.unicorn.mem_write(written, inferences.to_bytes(4, "little")),
    )
    machine.reset()
    assert passed == [*LANDMARKS[:3] * inferences]
    assert machine.register(0) == 0, "the exit status"
    assert machine.word(machine.address("calls")) == inferences


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_landmarks_and_handlers_have_addresses_of_their_own(core: str, toolchain: Toolchain) -> None:
    machine = started(toolchain, core)
    names = (*LANDMARKS, *FAULTS, *OTHER_HANDLERS)
    assert len({machine.address(name) for name in names}) == len(names)
    assert [machine.program.function_at(machine.address(name)).name for name in names] == list(names)  # type: ignore[union-attr]


def test_the_vector_table_names_stack_reset_and_each_handler(toolchain: Toolchain) -> None:
    machine = started(toolchain)
    words = [machine.word(FLASH + 4 * nth) for nth in range(16)]
    assert words[0] == SRAM + (16 << 10)
    assert words[1] == machine.program.entry | 1 == machine.address("mcu_reset") | 1
    assert words[2:8] == [machine.address(name) | 1 for name in FAULTS]
    assert words[8:11] + words[13:14] == [0, 0, 0, 0]
    assert [words[nth] for nth in (11, 12, 14, 15)] == [machine.address(name) | 1 for name in OTHER_HANDLERS]


def test_faults_are_kept_apart_on_cores_that_can(toolchain: Toolchain) -> None:
    machine = started(toolchain, "cortex-m3")
    machine.reset()
    assert machine.system[VTOR] == FLASH
    assert machine.system[SHCSR] == 7 << 16
    assert CPACR not in machine.system


def test_armv6m_system_registers_that_are_not_there_are_left_alone(toolchain: Toolchain) -> None:
    machine = started(toolchain, "cortex-m0")
    machine.reset()
    assert machine.system == {}


def test_the_fpu_is_switched_on_where_code_uses_it(toolchain: Toolchain) -> None:
    machine = started(toolchain, "cortex-m4", "fpv4-sp-d16")
    machine.reset()
    assert machine.system[CPACR] == 0xF << 20


def test_the_stack_has_all_of_ram_above_static_data(toolchain: Toolchain) -> None:
    machine = started(toolchain)
    limit = machine.address("__stack_limit")
    assert limit == max(s.end for s in machine.program.sections if s.address >= SRAM)
    assert machine.address("__stack_top") == SRAM + (16 << 10)
