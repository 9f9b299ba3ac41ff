"""Firmware that waits for what never comes: found, and said with the loop and the device; and sleep costs no time."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import codes
from firmware_runs import run as run_in
from mcu_harness.app.session import Session
from mcu_harness.results.records import RunResult
from user_firmware import START, build

pytestmark = pytest.mark.gnu

BOARD = "stm32f4_discovery"
HANDLER = 'void SysTick_Handler(void) __attribute__((weak, alias("Default_Handler")));\nvoid Reset_Handler'
TABLE = START.replace("void Reset_Handler", HANDLER, 1).replace(
    "(void *)HardFault_Handler,\n", "(void *)HardFault_Handler, [15] = (void *)SysTick_Handler,\n"
)
CODE = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define DMA1_START (REG(0x40026010) = 1)
#define TICK(n) (REG(0xE000E014) = (n), REG(0xE000E018) = 0, REG(0xE000E010) = 7)
volatile uint32_t done, ticks, total;
__attribute__((noinline)) uint32_t work(uint32_t x) { return 3 * x + 1; }
void SysTick_Handler(void) { ON_TICK }
__attribute__((noinline)) int has_come(void) { return done; }
__attribute__((noinline)) void transfer(void) {
    DMA1_START;
    WAIT
}
int main(void) { START_UP total = work(1); END }
"""
SLEEP = 'while (!done) __asm__ volatile("wfi");'
INTERRUPT = "it waits for an interrupt (WFI), and none can come, in"
EVENT = "it waits for an event (WFE), and none can come, in"
LOOP = "it goes round a loop in which nothing changes any more, in"
DMA1 = "; its function uses DMA1 (0x40026010)"
# (what the firmware does, what the finding begins with, what it ends with)
WAITS = {
    "interrupt": ({"WAIT": SLEEP, "END": "transfer(); return 0;"}, f"{INTERRUPT} transfer at 0x0800", DMA1),
    "interrupt in main": ({"END": SLEEP + "total = work(total); return 0;"}, f"{INTERRUPT} main at 0x0800", ")"),
    "event": (
        {"WAIT": 'while (!done) __asm__ volatile("wfe");', "END": "transfer(); return 0;"},
        f"{EVENT} transfer at 0x0800",
        DMA1,
    ),
    "flag": ({"WAIT": "while (!done) { }", "END": "transfer(); return 0;"}, f"{LOOP} transfer at 0x0800", DMA1),
    "flag that a function reads": (
        {"WAIT": "while (!has_come()) { }", "END": "transfer(); return 0;"},
        LOOP,
        DMA1,
    ),
    "register": (
        {"WAIT": "while (!(REG(0xE000E010) & 1u << 16)) { }", "END": "transfer(); return 0;"},
        f"{LOOP} transfer at 0x0800",
        "; the loop reads SysTick (0xe000e010)",
    ),
}


def firmware(folder: Path, **parts: str) -> Path:
    macros = {"ON_TICK": "ticks++;", "WAIT": "", "START_UP": "", **parts}
    return build(folder, "".join(f"#define {name} {code}\n" for name, code in macros.items()) + CODE, start=TABLE)


def run(image: Path, emulator: str, session: Session, **options: object) -> RunResult:
    return run_in(image, BOARD, emulator, session, **options)


@pytest.mark.parametrize("case", WAITS)
def test_what_never_comes_is_a_finding_with_loop_and_device(
    case: str, emulator_name: str, session: Session, tmp_path: Path
) -> None:
    parts, begins, ends = WAITS[case]
    result = run(firmware(tmp_path, **parts), emulator_name, session)
    assert (result.verdict, codes(result)) == ("fail", ["run.waiting"])
    (finding,) = result.findings
    assert finding.message.startswith(begins)
    assert finding.message.endswith(ends)
    assert "firmware.c:" in finding.message
    assert "missing on the emulated board" in finding.advice


@pytest.mark.parametrize(
    "end",
    [
        'for (;;) { __asm__ volatile("wfi"); if (done) total = work(total); }',
        'for (;;) { __asm__ volatile("wfe"); }',
        "for (;;) { if (done) total = work(total); }",
    ],
    ids=["sleeps", "dozes", "polls"],
)
def test_a_main_loop_without_an_exit_is_how_firmware_ends(
    end: str, emulator_name: str, session: Session, tmp_path: Path
) -> None:
    result = run(firmware(tmp_path, END=end), emulator_name, session)
    assert (result.verdict, codes(result)) == ("pass", ["firmware.end"])


@pytest.mark.parametrize("where", ["main", "idle"])
def test_what_a_handler_has_measured_stays_when_the_rest_sleeps(
    where: str, emulator_name: str, session: Session, tmp_path: Path
) -> None:
    sleep = 'for (;;) __asm__ volatile("wfi");'
    parts = {"main": {"END": sleep}, "idle": {"END": "transfer(); return 0;", "WAIT": sleep}}[where]
    on_tick = "if (++ticks == 20) total = work(total);"
    image = firmware(tmp_path, ON_TICK=on_tick, START_UP="TICK(899999);", **parts)
    result = run(image, emulator_name, session, begin="work")
    assert result.verdict == "pass"
    (end,) = [finding for finding in result.findings if finding.code == "firmware.end"]
    assert (
        "it waits for an interrupt, and those that come change nothing for it, after 2 measured windows" in end.message
    )


def test_interrupts_that_come_end_no_wait_for_another(emulator_name: str, session: Session, tmp_path: Path) -> None:
    image = firmware(tmp_path, START_UP="TICK(899999);", WAIT=SLEEP, END="transfer(); return 0;")
    result = run(image, emulator_name, session)
    assert codes(result) == ["run.waiting"]
    assert result.findings[0].message.startswith(
        "it waits for an interrupt, and those that come change nothing for it, in transfer"
    )


def test_a_loop_that_the_time_will_end_is_none_that_waits_for_ever(
    emulator_name: str, session: Session, tmp_path: Path
) -> None:
    polls = "REG(0xE000E014) = 0x7FFFFF; REG(0xE000E018) = 0; REG(0xE000E010) = 5; while (!(REG(0xE000E010) & 1u << 16)) { }"
    assert run(firmware(tmp_path, WAIT=polls, END="transfer(); return 0;"), emulator_name, session).verdict == "pass"
    ticks = firmware(tmp_path, START_UP="TICK(4999999);", WAIT="while (!ticks) { }", END="transfer(); return 0;")
    assert run(ticks, emulator_name, session).verdict == "pass"


def test_what_is_asked_by_semihosting_while_the_loop_is_looked_at_is_answered(session: Session, tmp_path: Path) -> None:
    """The first look is after two million instructions, which lie among these questions (SYS_ERRNO)."""
    delay = '__asm__ volatile("1: subs %0, #1\\n bne 1b" : "+r"(rest) :: "cc");'
    ask = '__asm__ volatile("movs r0, #0x13\\n .rept 32\\n bkpt 0xab\\n .endr" ::: "r0", "cc", "memory");'
    asks = f"uint32_t rest = 975000; {delay} for (uint32_t n = 0; n < 3500; n++) {{ {ask} }}"
    result = run(firmware(tmp_path, WAIT=asks, END="transfer(); return 0;"), "unicorn", session, begin="work")
    assert result.verdict == "pass"


def test_a_task_that_sleeps_in_between_does_not_wait_for_ever(session: Session, tmp_path: Path) -> None:
    """A delay of 12,000 ticks at one place, in a function that is not main: it takes 12 s of virtual time."""
    parts = {"WAIT": 'while (ticks < 12000) __asm__ volatile("wfi");', "END": "transfer(); return 0;"}
    result = run(firmware(tmp_path, START_UP="TICK(167999);", **parts), "unicorn", session)
    assert (result.verdict, codes(result)) == ("pass", [])
