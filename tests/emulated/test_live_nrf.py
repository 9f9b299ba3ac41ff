"""Clocks, timers and UARTs of nRF on live boards, worked by registers as the makers' libraries work them."""

from __future__ import annotations

from pathlib import Path

import pytest

from live_boards import live_board
from mcu_harness.app.live.failures import BoardFailure
from peripheral_firmware import peripheral_firmware

pytestmark = pytest.mark.gnu

# RTC1 interrupts every 328 of 32,768 counts a second and captures TIMER1 (1 MHz) by PPI at count 3277; TIMER2 interrupts
# each 100 us as it clears itself. UARTE0 receives four bytes at a time and sends them back; UART, one by one.
CODE = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define CLOCK 0x40000000u
#define UART 0x40002000u
#define TIMER1 0x40009000u
#define TIMER2 0x4000A000u
#define RTC1 0x40011000u
#define PPI 0x4001F000u
volatile uint32_t ticks, overflows, periods, late, captured, use_uart, errors;
static uint8_t received[2][4], sent[4];
static uint32_t which;
static void enable(uint32_t irq) { REG(0xE000E100 + irq / 32 * 4) = 1u << irq % 32; }

static void on_rtc(void) {
    if (REG(RTC1 + 0x140)) {
        REG(RTC1 + 0x140) = 0;
        if (REG(RTC1 + 0x504) != REG(RTC1 + 0x540)) late++;
        REG(RTC1 + 0x540) = (REG(RTC1 + 0x540) + 328) & 0xFFFFFF;
        ticks++;
    }
    if (REG(RTC1 + 0x104)) {
        REG(RTC1 + 0x104) = 0;
        overflows++;
    }
}
static void on_uarte(void) {
    if (!REG(UART + 0x110)) return;
    REG(UART + 0x110) = 0;
    if (REG(UART + 0x53C) != 4) errors++;
    for (int i = 0; i < 4; i++) sent[i] = received[which][i];
    which ^= 1;
    REG(UART + 0x534) = (uint32_t)received[which ^ 1];
    REG(UART + 0x544) = (uint32_t)sent;
    REG(UART + 0x548) = 4;
    REG(UART + 0x008) = 1;
}
void irq_handler(void) {
    if (REG(TIMER2 + 0x140)) {
        REG(TIMER2 + 0x140) = 0;
        periods++;
    }
    if (REG(RTC1 + 0x144)) {
        REG(RTC1 + 0x144) = 0;
        captured = REG(TIMER1 + 0x540);
    }
    on_rtc();
    if (!use_uart) on_uarte();
}
void trigger_overflow(void) { REG(RTC1 + 0x00C) = 1; }
void (*volatile keep)(void) = trigger_overflow;
static void uart_by_polling(void) {
    REG(UART + 0x304) = 0;
    REG(UART + 0x308) = 0xFFFFFFFF;
    REG(UART + 0x004) = 1;
    REG(UART + 0x500) = 4;
    REG(UART + 0x108) = 0;
    REG(UART + 0x000) = 1;
    for (;;) {
        while (!REG(UART + 0x108)) { }
        REG(UART + 0x108) = 0;
        uint32_t byte = REG(UART + 0x518);
        REG(UART + 0x11C) = 0;
        REG(UART + 0x51C) = byte ^ 0x20;
        while (!REG(UART + 0x11C)) { }
    }
}
int main(void) {
    (void)keep;
    REG(CLOCK + 0x518) = 1;
    REG(CLOCK + 0x008) = 1;
    while (!REG(CLOCK + 0x104)) { }
    if (REG(CLOCK + 0x418) != 0x10001) errors++;

    REG(TIMER1 + 0x508) = 3;
    REG(TIMER1 + 0x510) = 4;
    REG(TIMER1 + 0x000) = 1;
    REG(PPI + 0x510) = RTC1 + 0x144;
    REG(PPI + 0x514) = TIMER1 + 0x040;
    REG(PPI + 0x504) = 1;
    REG(TIMER2 + 0x508) = 3;
    REG(TIMER2 + 0x510) = 4;
    REG(TIMER2 + 0x540) = 100;
    REG(TIMER2 + 0x200) = 1;
    REG(TIMER2 + 0x304) = 1u << 16;
    REG(TIMER2 + 0x000) = 1;
    REG(RTC1 + 0x540) = 328;
    REG(RTC1 + 0x544) = 3277;
    REG(RTC1 + 0x304) = 1u << 16 | 1u << 17 | 1u << 1;
    REG(RTC1 + 0x000) = 1;

    REG(UART + 0x500) = 8;
    REG(UART + 0x534) = (uint32_t)received[0];
    REG(UART + 0x538) = 4;
    REG(UART + 0x200) = 1u << 5;
    REG(UART + 0x304) = 1u << 4;
    REG(UART + 0x000) = 1;
    REG(UART + 0x534) = (uint32_t)received[1];
    enable(2), enable(10), enable(17);
    for (;;) {
        if (use_uart) uart_by_polling();
        __asm__ volatile("wfi");
    }
}
"""


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return peripheral_firmware(tmp_path_factory.mktemp("nrf"), "nrf52840dk", CODE)


def test_timers_count_the_boards_time_and_their_events_start_tasks(elf: Path) -> None:
    with live_board(elf, "nrf52840dk") as board:
        board.run_for("99 ms")
        before = board.snapshot()
        for _ in range(2):  # the same from the snapshot
            assert (board.read("ticks"), board.read("periods"), board.read("captured")) == (9, 989, 0)
            board.run_for("10 ms")
            assert (board.read("ticks"), board.read("periods")) == (10, 1089)
            assert 100_006 <= board.read("captured") <= 100_016  # 3277 of 32,768 counts a second, in microseconds
            board.restore(before)
        assert (board.read("late"), board.read("errors")) == (0, 0)
        board.call("trigger_overflow")
        board.run_for("480 us")
        assert board.read("overflows") == 0
        board.run_for("10 us")  # 16 counts are 488.3 us
        assert board.read("overflows") == 1


def test_bytes_come_by_dma_and_one_by_one(elf: Path) -> None:
    with live_board(elf, "nrf52840dk") as board:
        with pytest.raises(BoardFailure, match="uarte0 did not receive yet: the firmware had not set ENABLE"):
            board.send("lost")
            board.expect("lost", timeout="1 ms")
        board.send("abcdefgh")
        board.expect("abcdefgh", timeout="1 ms")
        board.send("ijk")
        board.run_for("1 ms")
        assert board.console.text.endswith("abcdefgh")
        board.send("l")
        board.expect("ijkl", timeout="1 ms")
        assert board.read("errors") == 0
        board.write("use_uart", 1)
        board.run_for("1 ms")
        board.send("Polled")
        board.expect("pOLLED", timeout="1 ms")
