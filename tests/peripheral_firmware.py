"""Firmware that works peripherals by their registers, in the order in which the makers' libraries do, for several chips.

A button with a pull-up makes an interrupt when it is pressed (falling edge), a LED shows its level, `adc_read(channel)` converts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcu_harness.hardware.board_file import find_board
from user_firmware import START, build

_HEAD = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
volatile uint32_t presses, input;
static void enable(uint32_t irq) { REG(0xE000E100 + irq / 32 * 4) = 1u << irq % 32; }
"""
_MAIN = """
uint32_t (*volatile keep)(uint32_t) = adc_read;
int main(void) {
    (void)keep;
    init();
    enable(IRQ);
    for (;;) { input = button(); led(input); }
}
"""

_STM32 = """
#define PENDING_CLEAR REG(EXTI + PENDING) = 1u << 13
void irq_handler(void) {
    PENDING_CLEAR;
    presses++;
}
static uint32_t button(void) { return GPIOC_IDR >> 13 & 1; }
static void exti(void) {
    REG(EXTICR4) = (REG(EXTICR4) & ~(0xFu << PORT_SHIFT)) | 2u << PORT_SHIFT;
    REG(EXTI + FALLING) |= 1u << 13;
    REG(EXTI + MASK) |= 1u << 13;
}
"""
_STM32_NEW = (
    """
#define GPIOC_IDR REG(GPIOC + 0x10)
"""
    + _STM32
    + """
static void led(uint32_t on) { REG(GPIOA + 0x18) = on ? 1u << 5 : 1u << (5 + 16); }
static void init(void) {
    REG(GPIOA) = (REG(GPIOA) & ~(3u << 10)) | 1u << 10;
    REG(GPIOA + 4) &= ~(1u << 5);
    REG(GPIOC) &= ~(3u << 26);
    REG(GPIOC + 0xC) = (REG(GPIOC + 0xC) & ~(3u << 26)) | 1u << 26;
    exti();
}
"""
)
_STM32_OLD = (
    """
#define GPIOC_IDR REG(GPIOC + 0x08)
"""
    + _STM32
    + """
static void led(uint32_t on) { REG(GPIOA + 0x10) = on ? 1u << 5 : 1u << (5 + 16); }
static void init(void) {
    REG(GPIOA) = (REG(GPIOA) & ~(0xFu << 20)) | 2u << 20;
    REG(GPIOC + 4) = (REG(GPIOC + 4) & ~(0xFu << 20)) | 8u << 20;
    REG(GPIOC + 0x10) = 1u << 13;
    exti();
}
"""
)
# ADON, SQR3, SWSTART, EOC.
_ADC_OLD = """
uint32_t adc_read(uint32_t channel) {
    REG(ADC + 0x08) |= 1;
    REG(ADC + 0x2C) = 0;
    REG(ADC + 0x34) = channel;
    REG(ADC + 0x08) |= SWSTART;
    while (!(REG(ADC) & 2)) { }
    REG(ADC) = ~(2u | 16u);
    return REG(ADC + 0x4C);
}
"""
# Calibration, ADRDY, SQR1 with two conversions: what is asked for, then channel 1.
_ADC_NEW = """
uint32_t adc_read(uint32_t channel) {
    REG(ADC + 0x08) = 1u << 28;
    REG(ADC + 0x08) |= 1u << 31;
    while (REG(ADC + 0x08) & 1u << 31) { }
    REG(ADC) = 1;
    REG(ADC + 0x08) |= 1;
    while (!(REG(ADC) & 1)) { }
    REG(ADC + 0x30) = 1 | channel << 6 | 1u << 12;
    REG(ADC) = 0x0E;
    REG(ADC + 0x08) |= 4;
    while (!(REG(ADC) & 4)) { }
    uint32_t first = REG(ADC + 0x40);
    while (!(REG(ADC) & 8)) { }
    uint32_t second = REG(ADC + 0x40);
    REG(ADC + 0x08) |= 2;
    while (REG(ADC + 0x08) & 1) { }
    return first | second << 16;
}
"""
_ADC_SELECTED = """
uint32_t adc_read(uint32_t channel) {
    REG(ADC + 0x08) |= 1u << 31;
    while (REG(ADC + 0x08) & 1u << 31) { }
    REG(ADC + 0x08) |= 1;
    while (!(REG(ADC) & 1)) { }
    REG(ADC + 0x28) = 1u << channel;
    REG(ADC + 0x08) |= 4;
    while (!(REG(ADC) & 4)) { }
    uint32_t sample = REG(ADC + 0x40);
    return REG(ADC) & 8 ? sample : 0xDEAD;
}
"""
_NRF = """
#define P0 (GPIO + 0u)
static volatile uint16_t samples[2];
void irq_handler(void) {
    if (REG(GPIOTE + 0x100)) { REG(GPIOTE + 0x100) = 0; presses++; }
}
static uint32_t button(void) { return REG(P0 + 0x10) >> 11 & 1; }
static void led(uint32_t on) { if (on) REG(P0 + 0x08) = 1u << 13; else REG(P0 + 0x0C) = 1u << 13; }
static void init(void) {
    REG(P0 + 0x18) = 1u << 13;
    REG(P0 + 0x200 + 4 * 11) = 3u << 2;
    REG(GPIOTE + 0x510) = 1 | 11u << 8 | 2u << 16;
    REG(GPIOTE + 0x304) = 1;
}
uint32_t adc_read(uint32_t channel) {
    REG(ADC + 0x500) = 1;
    REG(ADC + 0x510) = channel + 1;
    REG(ADC + 0x520) = 2;
    REG(ADC + 0x62C) = (uint32_t)samples;
    REG(ADC + 0x630) = 2;
    REG(ADC + 0x100) = REG(ADC + 0x104) = 0;
    REG(ADC + 0x000) = 1;
    while (!REG(ADC + 0x100)) { }
    REG(ADC + 0x004) = 1;
    while (!REG(ADC + 0x104)) { }
    return REG(ADC + 0x634) == 2 ? samples[0] | (uint32_t)samples[1] << 16 : 0xDEAD;
}
"""
_RP = """
#define SIO 0xD0000000u
#define INTR1 (IO_BANK + INTR + 4)
void irq_handler(void) {
    if (REG(IO_BANK + INTS + 4) & 4u << 20) { REG(INTR1) = 4u << 20; presses++; }
}
static uint32_t button(void) { return REG(SIO + 4) >> 13 & 1; }
static void led(uint32_t on) { REG(SIO + (on ? OUT_SET : OUT_CLR)) = 1u << 25; }
static void init(void) {
    REG(SIO + OE_SET) = 1u << 25;
    REG(PADS + 0x2000 + 4 + 4 * 13) = 1u << 3;
    REG(PADS + 0x3000 + 4 + 4 * 13) = 1u << 2;
    REG(INTR1) = 0xFu << 20;
    REG(IO_BANK + 0x2000 + INTE + 4) = 4u << 20;
}
uint32_t adc_read(uint32_t channel) {
    REG(ADC) = 1;
    while (!(REG(ADC) & 1u << 8)) { }
    REG(ADC + 0x1000) = (REG(ADC) ^ channel << 12) & 7u << 12;
    REG(ADC + 0x2000) = 1u << 2;
    while (!(REG(ADC) & 1u << 8)) { }
    return REG(ADC + 4);
}
"""


@dataclass(frozen=True, slots=True)
class Chip:
    """Firmware for `board`, with the names of its button, LED and converter; `irq` is of the button."""

    board: str
    code: str
    irq: int
    adc: str
    button: str = "PC13"
    led: str = "PA5"
    defines: str = ""
    two_samples: bool = False


def _stm32(board: str, gpio: int, exti: int, kind: str, select: int, adc: int) -> dict[str, str]:
    falling, mask, pending = {"v1": (0xC, 0, 0x14), "v2": (4, 0x80, 0x10), "h7": (4, 0x80, 0x88)}[kind]
    shift = 8 if kind == "v2" else 4
    return {
        "board": board,
        "defines": f"-DGPIOA={gpio:#x} -DGPIOC={gpio + 0x800:#x} -DEXTI={exti:#x} -DFALLING={falling} -DMASK={mask} -DPENDING={pending} "
        f"-DEXTICR4={select:#x} -DPORT_SHIFT={shift} -DADC={adc:#x} -DSWSTART={1 << (22 if 'f1' in board else 30)}u",
    }


CHIPS = [
    Chip(**_stm32("stm32f4_discovery", 0x40020000, 0x40013C00, "v1", 0x40013814, 0x40012000), code=_STM32_NEW + _ADC_OLD, irq=40, adc="adc1"),
    Chip(**_stm32("nucleo_f103rb", 0x40010800, 0x40010400, "v1", 0x40010014, 0x40012400), code=_STM32_OLD + _ADC_OLD, irq=40, adc="adc1"),
    Chip(**_stm32("nucleo_l4r5zi", 0x48000000, 0x40010400, "v1", 0x40010014, 0x50040000), code=_STM32_NEW + _ADC_NEW, irq=40, adc="adc1", two_samples=True),
    Chip(**_stm32("nucleo_h753zi", 0x58020000, 0x58000000, "h7", 0x58000414, 0x40022000), code=_STM32_NEW + _ADC_NEW, irq=40, adc="adc1", two_samples=True),
    Chip(**_stm32("nucleo_g071rb", 0x50000000, 0x40021800, "v2", 0x4002186C, 0x40012400), code=_STM32_NEW + _ADC_SELECTED, irq=7, adc="adc1"),
    Chip(**_stm32("nucleo_u575zi_q", 0x42020000, 0x46022000, "v2", 0x4602206C, 0x42028000), code=_STM32_NEW + _ADC_NEW, irq=24, adc="adc1", two_samples=True),
    Chip("nrf52840dk", _NRF, 6, "saadc", "P0.11", "P0.13", "-DGPIO=0x50000500 -DGPIOTE=0x40006000 -DADC=0x40007000", True),
    Chip("nrf5340dk", _NRF, 13, "saadc", "P0.11", "P0.13", "-DGPIO=0x50842500 -DGPIOTE=0x5000D000 -DADC=0x5000E000", True),
    Chip("raspberry_pi_pico", _RP, 13, "adc", "GPIO13", "GPIO25",
         "-DPADS=0x4001C000 -DIO_BANK=0x40014000 -DADC=0x4004C000 -DINTR=0xF0 -DINTE=0x100 -DINTS=0x120 -DOUT_SET=0x14 -DOUT_CLR=0x18 -DOE_SET=0x24"),
    Chip("raspberry_pi_pico2", _RP, 21, "adc", "GPIO13", "GPIO25",
         "-DPADS=0x40038000 -DIO_BANK=0x40028000 -DADC=0x400A0000 -DINTR=0x230 -DINTE=0x248 -DINTS=0x278 -DOUT_SET=0x18 -DOUT_CLR=0x20 -DOE_SET=0x38"),
]  # fmt: skip

_VECTORS = """
extern void irq_handler(void);
__attribute__((section(".isr_vector"), used)) void *const vectors[16 + 96] = {
    _estack, (void *)Reset_Handler, (void *)Default_Handler, (void *)HardFault_Handler,
    [16 ... 16 + 95] = (void *)irq_handler,
};
"""
_START = START[: START.index("__attribute__((section")] + _VECTORS + START[START.index("void *__dso_handle") :]


def peripheral_firmware(folder: Path, board: str, code: str, defines: str = "") -> Path:
    """The ELF of `code`, which has a main and an irq_handler, for `board`."""
    made = find_board(board)
    return build(
        folder,
        code,
        cpu=made.core.name.replace("cortex-m0+", "cortex-m0plus"),
        flags=defines.split(),
        start=_START,
        flash=made.code_memory.origin + made.vector_offset,
        ram_size=16 << 10,
    )


def button_firmware(folder: Path, chip: Chip) -> Path:
    """The button's ELF for `chip`."""
    return peripheral_firmware(folder, chip.board, _HEAD + chip.code + _MAIN, f"{chip.defines} -DIRQ={chip.irq}")
