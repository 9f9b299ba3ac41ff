"""A part with two cores in Renode: the one under test is named and measured, and the other one runs beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from live_boards import live_board
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.kept import KeptEmulators
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.renode_table import OtherCoreSpec
from mcu_harness.scenario.scenario import load_scenario
from user_firmware import build

pytestmark = [pytest.mark.gnu, pytest.mark.renode, pytest.mark.usefixtures("renode_install")]

BOARD = """
name = "two"
title = "Two cores"
vendor = "nobody"
part = "none"
[core]
name = "cortex-m4"
[clock]
frequency = "64 MHz"
[[memory]]
name = "flash"
kind = "flash"
origin = 0x08000000
size = "256 KiB"
[[memory]]
name = "sram"
kind = "ram"
origin = 0x20000000
size = "64 KiB"
[[memory]]
name = "shared"
kind = "ram"
origin = 0x20020000
size = "4 KiB"
[layout]
code = "flash"
data = "sram"
[console]
driver = "stm32_usart_v1"
base = 0x40004400
[renode]
platform = "./two.repl"
core = "big"
[sources]
core = "ours"
clock = "ours"
memory = "ours"
wait_states = "ours"
current = "not known"
console = "ours"
"""
# The small core has memory of its own where the big one has its own, and stops at nothing that is the big one's.
PLATFORM = """
big: CPU.CortexM @ sysbus
    cpuType: "cortex-m4"
    nvic: bigNvic
    cpuId: 0

small: CPU.CortexM @ sysbus
    cpuType: "cortex-m0+"
    nvic: smallNvic
    cpuId: 1

bigNvic: IRQControllers.NVIC @ sysbus new Bus.BusPointRegistration { address: 0xE000E000; cpu: big }
    -> big@0

smallNvic: IRQControllers.NVIC @ sysbus new Bus.BusPointRegistration { address: 0xE000E000; cpu: small }
    -> small@0

smallRam: Memory.MappedMemory @ sysbus new Bus.BusPointRegistration { address: 0x20000000; cpu: small }
    size: 0x4000
"""
SHARED = "#include <stdint.h>\n#define SHARED ((volatile uint32_t *)0x20020000)\n"
BIG = (
    SHARED
    + """
#define UART(at) (*(volatile uint32_t *)(0x40004400 + (at)))
volatile uint32_t total;
__attribute__((noinline)) uint32_t ask(uint32_t of) {
    volatile uint32_t frame[8] = { of };
    SHARED[1] = frame[0];
    SHARED[0]++;
    while (SHARED[2] != SHARED[0]) { }
    return SHARED[3];
}
int main(void) {
    for (uint32_t i = 1; i <= 3; i++) total += ask(i);
    UART(0x0C) = 1 << 13 | 1 << 3;
    UART(4) = 'y';
    for (;;) { }
}
"""
)
# It has ten times the stack, reads from where the board has nothing, and what it answers takes it longer and longer.
SMALL = (
    SHARED
    + """
static const uint32_t factor = 7;
volatile uint32_t seen;
int main(void) {
    volatile uint32_t deep[400];
    for (;;) {
        while (SHARED[0] == SHARED[2]) { }
        seen = *(volatile uint32_t *)0x00F00000;
        for (uint32_t i = 0; i < 400 * SHARED[1]; i++) deep[i % 400] = i;
        SHARED[3] = SHARED[1] * factor + (deep[399] == 0);
        SHARED[2] = SHARED[0];
    }
}
"""
)
SCENARIO = """
boards = ["two.toml"]
[firmware]
elf = "big.elf"
begin = "ask"
[renode.other_cores]
small = "small.elf"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("two cores")
    build(made, BIG, name="big", flash_size=128 << 10)
    build(made, SMALL, name="small", cpu="cortex-m0plus", flash=0x0802_0000, flash_size=128 << 10, ram_size=16 << 10)
    (made / "two.toml").write_text(BOARD)
    (made / "two.repl").write_text(PLATFORM)
    return made


def run(session: Session, folder: Path, text: str, emulator: str = "renode") -> RunResult:
    (folder / "s.toml").write_text(text)
    (case,) = cases_of(load_scenario(folder / "s.toml"))
    return session.run(case, Options(emulator=emulator))


def test_the_named_core_is_measured_and_the_other_one_answers_it(session: Session, folder: Path) -> None:
    first, second = (run(session, folder, SCENARIO) for _ in range(2))
    assert first.verdict == "pass", first.findings
    assert first.console == "y"
    assert first.spreads["instructions"].maximum > 2 * first.spreads["instructions"].minimum  # the answers take longer
    # One core runs after the other, not both as the host has time.
    assert first.value("instructions") == second.value("instructions")
    assert 30 < (first.value("stack_hwm_bytes") or 0) < 400  # not the small core's 1600 B
    assert {one.name for one in first.functions} == {"ask", "memset"}


def test_a_core_that_has_no_program_stands_still(session: Session, folder: Path) -> None:
    result = run(session, folder, SCENARIO[: SCENARIO.index("[renode")])
    (finding,) = [one for one in result.findings if one.verdict == "fail"]
    assert "goes round a loop in which nothing changes" in finding.message


def test_the_other_core_of_a_live_board_runs_in_the_same_time(folder: Path) -> None:
    kept = KeptEmulators()
    others = (OtherCoreSpec("small", folder / "small.elf"),)
    try:
        with live_board(
            folder / "big.elf", str(folder / "two.toml"), emulators=kept, emulator="renode", others=others
        ) as board:
            board.expect("y", timeout="100 ms")
            assert board.read("total", "u32") == 7 + 14 + 21
            board.reset()  # both begin anew
            with board.measure("ask") as cost:
                board.expect("y", timeout="100 ms")
            assert board.read("total", "u32") == 7 + 14 + 21
            assert cost.calls == 3 and (cost.stack or 0) < 400
    finally:
        kept.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text.replace('core = "big"\n', ""),
            "two: the platform has the Cortex-M cores big, small, and which",
        ),
        (
            lambda text: text.replace('"big"', '"bgi"'),
            "two: the platform has no Cortex-M core called 'bgi', but big, small",
        ),
        (lambda text: text.replace('"big"', '"small"'), "small is the core under test, and cannot run beside it"),
    ],
)
def test_a_core_that_is_not_said_or_not_there(
    session: Session, folder: Path, tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "two.toml").write_text(change(BOARD))
    with pytest.raises(EmulatorError) as caught:
        run(session, tmp_path, SCENARIO)
    assert said in caught.value.message


def test_an_address_without_a_vector_table(session: Session, folder: Path) -> None:
    with pytest.raises(EmulatorError, match="small has no vector table at 0x08030000"):
        run(session, folder, SCENARIO.replace('"small.elf"', "0x08030000"))


def test_the_embedded_emulator_says_that_it_runs_one_core(session: Session, folder: Path) -> None:
    with pytest.raises(EmulatorError, match="runs one core only, and small is to run beside it"):
        run(session, folder, SCENARIO, "unicorn")
