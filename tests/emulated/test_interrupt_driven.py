"""Firmware that lives on interrupts: a console served by them, timers that go on beside it, main asleep or in a loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_runs import calls, codes
from firmware_runs import run as run_in
from mcu_harness.app import prepare_firmware
from mcu_harness.app.session import Session
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.firmware_tables import DialogueStep
from user_firmware import START, build

pytestmark = pytest.mark.gnu

# Board, compiler's -mcpu, UART base, its interrupt, and its registers: control, status, received, to send.
CONSOLES = {
    "stm32f4_discovery": ("cortex-m4", 0x40004400, 38, (0x0C, 0x00, 0x04, 0x04)),
    "stm32f746g_disco": ("cortex-m7", 0x40011000, 37, (0x00, 0x1C, 0x24, 0x28)),
    "stm32f072b_disco": ("cortex-m0", 0x40013800, 27, (0x00, 0x1C, 0x24, 0x28)),
    "nucleo_u575zi_q": ("cortex-m33", 0x40013800, 61, (0x00, 0x1C, 0x24, 0x28)),
}
# A console in the manner of EEMBC's: commands end with %, answers with m-ready.
CONSOLE = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define RXNE (1u << 5)
#define TXE (1u << 7)
volatile uint32_t ticks;
static volatile char command[32], out[256];
static volatile uint32_t length, ready, head, tail;
static void print(const char *text) {
    while (*text) {
        while (head - tail == sizeof out) { }
        out[head++ % sizeof out] = *text++;
        REG(UART + CONTROL) |= TXE;
    }
}
volatile uint32_t result;
__attribute__((noinline)) uint32_t infer(uint32_t x) { for (uint32_t i = 0; i < 5000; i++) x = x * 33 + i; return x; }
static void serve(void) {
    uint32_t count = 0;
    if (command[0] == 'i') {
        for (uint32_t i = 1; i < length; i++) count = 10 * count + command[i] - '0';
        while (count--) result = infer(result);
        print("m-infer-done\\r\\n");
    } else {
        print("m-name-[test]\\r\\n");
    }
    length = 0;
    print("m-ready\\r\\n");
}
void Uart_Handler(void) {
    if (REG(UART + STATUS) & RXNE) {
        char c = (char)REG(UART + RECEIVED);
        if (c != '%') command[length++ % sizeof command] = c;
        else if (SERVED_IN_HANDLER) serve();
        else ready = 1;
    }
    if (REG(UART + CONTROL) & TXE) {
        if (head == tail) REG(UART + CONTROL) &= ~TXE;
        else REG(UART + TO_SEND) = (uint8_t)out[tail++ % sizeof out];
    }
}
void SysTick_Handler(void) { ticks++; }
int main(void) {
    REG(0xE000E014) = 15999;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    REG(0xE000E100 + 4 * (IRQ / 32)) = 1u << IRQ % 32;
    REG(UART + CONTROL) = RXNE | 1 << 3 | 1 << 2 | 1;
    print("m-ready\\r\\n");
    for (;;) {
        IDLE
        if (ready) { ready = 0; serve(); }
    }
}
"""


Runs = Callable[..., RunResult]


@pytest.fixture
def run(emulator_name: str, session: Session) -> Runs:
    """Run an image in each of the emulators; which block an interrupt follows differs between them."""
    return lambda image, board="stm32f4_discovery", **options: run_in(image, board, emulator_name, session, **options)


def start(irq: int) -> str:
    """The start-up file with a vector table that has SysTick and the interrupt `irq`."""
    names = 'void SysTick_Handler(void) __attribute__((weak, alias("Default_Handler")));\n'
    names += 'void Uart_Handler(void) __attribute__((weak, alias("Default_Handler")));\n'
    table = START.replace("vectors[16]", f"vectors[{17 + irq}]")
    table = table.replace(
        "(void *)HardFault_Handler,",
        f"(void *)HardFault_Handler,\n    [15] = (void *)SysTick_Handler, [{16 + irq}] = (void *)Uart_Handler,",
    )
    return table.replace("void Reset_Handler", names + "void Reset_Handler", 1)


def firmware(folder: Path, board: str, code: str, **macros: object) -> Path:
    """Build `code` for the console of `board`."""
    cpu, base, irq, (control, status, received, to_send) = CONSOLES[board]
    macros |= {"UART": f"{base:#x}u", "IRQ": irq, "CONTROL": control, "STATUS": status, "RECEIVED": received}
    macros["TO_SEND"] = to_send
    defines = "".join(f"#define {name} {value}\n" for name, value in macros.items())
    return build(folder, defines + code, cpu=cpu, start=start(irq), ram_size=16 << 10, flash_size=64 << 10)


@pytest.mark.parametrize("idle", ["", '__asm__ volatile("wfi");'], ids=["busy", "asleep"])
@pytest.mark.parametrize("board", CONSOLES)
def test_console_by_interrupts_answers_each_command(run: Runs, tmp_path: Path, board: str, idle: str) -> None:
    elf = firmware(tmp_path, board, CONSOLE, SERVED_IN_HANDLER=0, IDLE=idle)
    steps = [DialogueStep("", "m-ready"), DialogueStep("name%", "m-ready")]
    result = run(elf, board, dialogue=(*steps, DialogueStep("i20%", "m-ready", measure=True)))
    assert (result.verdict, codes(result)) == ("pass", [])
    assert result.console == "m-ready\r\nm-name-[test]\r\nm-ready\r\nm-infer-done\r\nm-ready"
    assert calls(result)["infer"] == 20
    assert calls(result)["SysTick_Handler"] >= 20 * 5000 * 4 // 16_000
    assert calls(result)["Uart_Handler"] >= len("i20%") + len("m-infer-done\r\nm-ready")


def test_commands_may_be_served_in_the_handler_while_main_is_in_an_endless_loop(run: Runs, tmp_path: Path) -> None:
    board = "stm32f4_discovery"
    elf = firmware(tmp_path, board, CONSOLE, SERVED_IN_HANDLER=1, IDLE="for (;;) { }")
    slope = []
    for count in (1, 3):
        steps = (DialogueStep("", "m-ready"), DialogueStep(f"i{count}%", "m-infer-done", measure=True))
        result = run(elf, board, dialogue=steps)
        assert result.verdict == "pass"
        slope.append(result.value("instructions") or 0)
    alone = run(
        elf, board, begin="infer", stop_after=2_000_000, dialogue=(steps[0], DialogueStep("i1%", "m-infer-done"))
    )
    assert (slope[1] - slope[0]) / 2 == pytest.approx(alone.value("instructions") or 0, rel=0.01)


TICKING = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
volatile uint32_t ticks;
void SysTick_Handler(void) { ticks++; }
__attribute__((noinline)) int work(int x) { return 3 * x + 1; }
volatile int total;
__attribute__((noinline)) void give_up(void) { __asm__ volatile("cpsid i"); for (;;) { } }
int main(void) {
    REG(0xE000E014) = 999;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    while (ticks < 10) { WAIT }
    for (int i = 0; i < 5; i++) total = work(total);
    END
}
"""


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("for (;;) { }", ["firmware.end"]),
        ('for (;;) { __asm__ volatile("wfi"); }', ["firmware.end"]),
        ("return 0;", []),
    ],
    ids=["loop", "sleep", "return"],
)
def test_program_whose_main_is_over_ends_although_its_timer_goes_on(
    run: Runs, tmp_path: Path, end: str, said: list[str]
) -> None:
    elf = firmware(tmp_path, "stm32f4_discovery", TICKING, WAIT="", END=end)
    result = run(elf)
    assert (result.verdict, codes(result)) == ("pass", said)
    assert calls(result)["work"] == 5
    assert run(elf, begin="work").verdict == "pass"


def test_program_that_gives_up_with_interrupts_off_is_in_an_endless_loop(run: Runs, tmp_path: Path) -> None:
    elf = firmware(tmp_path, "stm32f4_discovery", TICKING, WAIT="", END="give_up();")
    result = run(elf)
    assert codes(result) == ["run.endless-loop"]
    assert "give_up" in result.findings[0].message


def test_a_handler_can_be_what_is_measured(run: Runs, tmp_path: Path) -> None:
    elf = firmware(tmp_path, "stm32f4_discovery", TICKING, WAIT='__asm__ volatile("wfi");', END="return 0;")
    result = run(elf, begin="SysTick_Handler")
    assert (result.verdict, codes(result)) == ("pass", [])
    assert 3 <= (result.value("instructions") or 0) <= 8


def test_an_exception_without_a_handler_is_named(run: Runs, tmp_path: Path, emulator_name: str) -> None:
    code = TICKING.replace("int main(void) {", "uint32_t none[64] __attribute__((aligned(256)));\nint main(void) {")
    code = code.replace("REG(0xE000E014)", "REG(0xE000ED08) = (uint32_t)none;\n    REG(0xE000E014)")
    result = run(firmware(tmp_path, "stm32f4_discovery", code, WAIT="", END="return 0;"))
    said = {
        "unicorn": ("fault.no-handler", "an exception (number 15) has no handler: its vector at 0x2000"),
        "renode": ("fault.not-thumb", "jumps to 0x00000000 without bit 0 set"),
    }
    code, sentence = said[emulator_name]
    assert codes(result) == [code]
    assert sentence in result.findings[0].message


def test_loop_goes_on_with_interrupts_as_long_as_the_run_is_to_go_on(tmp_path: Path) -> None:
    elf = firmware(tmp_path, "stm32f4_discovery", TICKING, WAIT="", END="for (;;) { }")
    result = run_in(elf, stop_after=100_000)
    assert result.verdict == "pass"
    assert 90 <= calls(result)["SysTick_Handler"] <= 100
    assert result.value("instructions") == pytest.approx(100_000, abs=2)


def test_main_that_spins_for_ever_ends_at_the_limit_which_is_no_failure(
    run: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether handlers will bring anything else cannot be known: `--stop-after` says when it is enough."""
    monkeypatch.setattr(prepare_firmware, "_MOST_INSTRUCTIONS", 45_500)
    code = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
volatile uint32_t n;
volatile int total;
__attribute__((noinline)) int work(int x) { return 3 * x + 1; }
void SysTick_Handler(void) { total = work(total); }
int main(void) { REG(0xE000E014) = 9999; REG(0xE000E018) = 0; REG(0xE000E010) = 7; for (;;) { n++; } }
"""
    result = run(firmware(tmp_path, "stm32f4_discovery", code), begin="work")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.end"])
    said = "it was stopped after 45,500 instructions (--stop-after ends it earlier), after 4 measured windows"
    assert result.findings[0].message.endswith(said)
    assert calls(result) == {"work": 1}


def test_what_is_measured_may_be_reached_from_a_handler_only(tmp_path: Path) -> None:
    code = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
volatile uint32_t ticks;
volatile int total;
__attribute__((noinline)) int work(int x) { return 3 * x + 1; }
void SysTick_Handler(void) { if (++ticks == 20) total = work(total); }
int main(void) { REG(0xE000E014) = 999; REG(0xE000E018) = 0; REG(0xE000E010) = 7; for (;;) { } }
"""
    result = run_in(firmware(tmp_path, "stm32f4_discovery", code), begin="work")
    assert result.verdict == "pass"
    assert calls(result)["work"] == 1
