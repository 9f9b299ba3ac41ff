"""Firmware for live boards: a shell on a polled UART, another UART that says what it hears, a SysTick that counts milliseconds, and functions to look at."""

from __future__ import annotations

from pathlib import Path

from user_firmware import START, build

BOARD = "stm32f4_discovery"

# USART2 and USART1 of an STM32F4: SR, DR, CR1 (UE, TE, RE). SysTick interrupts every millisecond at 168 MHz, which is the board file's clock.
SHELL = """
#include <stdint.h>
#include <string.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define SR REG(0x40004400)
#define DR REG(0x40004404)
#define CR1 REG(0x4000440C)
#define SR_1 REG(0x40011000)
#define DR_1 REG(0x40011004)
#define CR1_1 REG(0x4001100C)
struct point { int16_t x, y; };
enum mode { IDLE, RUNNING = 5, BROKEN = -1 };
struct settings { char name[8]; struct point corners[2]; enum mode mode; float gain; const char *label; uint8_t low : 3, high : 5; };
volatile uint32_t milliseconds, press_count, result;
volatile int16_t temperature = -40;
struct settings settings = { "probe", { { 1, -2 }, { 3, 4 } }, RUNNING, 1.5f, "text", 5, 17 };
uint32_t table[4] = { 1, 2, 3, 4 };
void SysTick_Handler(void) { milliseconds++; }
void EXTI0_Handler(void) { press_count++; }
static void put(char c) { while (!(SR & 0x80)) { } DR = (uint8_t)c; }
static void print(const char *text) { while (*text) put(*text++); }
static void number(uint32_t n) { if (n >= 10) number(n / 10); put('0' + n % 10); }
__attribute__((noinline)) void delay(uint32_t ms) {
    uint32_t end = milliseconds + ms;
    while ((int32_t)(milliseconds - end) < 0) __asm volatile("wfi");
}
__attribute__((noinline)) uint32_t step(uint32_t x, uint32_t i) { return x * 33 + i; }
__attribute__((noinline)) uint32_t infer(uint32_t x) { for (uint32_t i = 0; i < 1000; i++) x = step(x, i); return x; }
__attribute__((noinline)) int add(int a, int b, int c, int d, int e) { return a + 2 * b + 3 * c + 4 * d + 5 * e; }
__attribute__((noinline)) int deep(int n) { volatile char room[64]; room[0] = (char)n; return n ? deep(n - 1) + room[0] : 0; }
__attribute__((noinline)) void crash(void) { *(volatile uint32_t *)0x60000000 = 1; }
__attribute__((noinline)) uint32_t peek(uint32_t *at) { return *(volatile uint32_t *)at; }
__attribute__((noinline)) void poke(uint32_t *at, uint32_t to) { *(volatile uint32_t *)at = to; }
static char line[16];
static void serve(void) {
    if (!strcmp(line, "infer")) { result = infer(1); print("done\\n"); }
    else if (!strcmp(line, "count")) { number(press_count); put('\\n'); }
    else if (!strcmp(line, "deep")) { result = deep(8); print("done\\n"); }
    else if (!strcmp(line, "crash")) crash();
    else if (!strcmp(line, "sleep")) { REG(0xE000E010) = 0; for (;;) __asm volatile("wfi"); }
    else if (!strcmp(line, "use")) { result = temperature + settings.gain + table[1] + add(1, 2, 3, 4, 5) + peek(&result); poke(table, 1); print("done\\n"); }
    else if (!strcmp(line, "poke")) { poke(&table[1], 77); print("done\\n"); }
    else if (!strcmp(line, "delay")) { delay(20); print("done\\n"); }
    else if (!strcmp(line, "reset")) { REG(0xE000ED0C) = 0x05FA0004; for (;;) { } }
    else if (!strcmp(line, "bytes")) { put((char)0xFF); put(0); put('\\n'); }
    else { print("what is "); print(line); print("?\\n"); }
}
int main(void) {
    CR1 = CR1_1 = 0x200C;
    REG(0xE000E014) = 168000 - 1; REG(0xE000E018) = 0; REG(0xE000E010) = 7;
    REG(0xE000E100) = 1u << 6;
    delay(5);
    print("ready in "); number(milliseconds); print(" ms\\n");
    for (uint32_t length = 0;;) {
        while (SR_1 & 0x20) { char heard = (char)DR_1; while (!(SR_1 & 0x80)) { } DR_1 = (uint8_t)(heard ^ 0x20); }
        if (!(SR & 0x20)) { __asm volatile("wfi"); continue; }
        char c = (char)DR;
        if (c != '\\n') { line[length++ % sizeof line] = c; continue; }
        line[length % sizeof line] = 0; length = 0;
        serve();
    }
}
"""

_VECTORS = """
extern void SysTick_Handler(void);
extern void EXTI0_Handler(void);
__attribute__((section(".isr_vector"), used)) void *const vectors[64] = {
    _estack, (void *)Reset_Handler, (void *)Default_Handler, (void *)HardFault_Handler,
    [15] = (void *)SysTick_Handler, [16 + 6] = (void *)EXTI0_Handler,
};
"""
_START = START[: START.index("__attribute__((section")] + _VECTORS + START[START.index("void *__dso_handle") :]


def shell(folder: Path, **options: object) -> Path:
    """The shell's ELF, for `BOARD`."""
    return build(folder, SHELL, start=_START, name="shell", **options)  # type: ignore[arg-type]
