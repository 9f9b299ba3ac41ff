"""Firmware that is the master of I2C and SPI by registers, in the order in which the makers' libraries work them.

`read_registers(address, first, count)` gives up to three bytes, lowest first, or 0xBAD when nobody acknowledges;
`write_register(address, at, value)`; `spi_id()` sends 9F 00 00 00 with its select pin low and gives the last three bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from peripheral_firmware import peripheral_firmware

_HEAD = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define REG8(a) (*(volatile uint8_t *)(a))
void irq_handler(void) { }
static void select(int on);
static uint8_t exchange(uint8_t byte);
uint32_t spi_id(void) {
    uint32_t id = 0;
    select(1);
    exchange(0x9F);
    for (int i = 0; i < 3; i++) id = id << 8 | exchange(0);
    select(0);
    return id;
}
uint32_t read_registers(uint32_t address, uint32_t first, uint32_t count);
uint32_t write_register(uint32_t address, uint32_t at, uint32_t value);
void *volatile keep[] = { spi_id, read_registers, write_register };
"""
_MAIN = "int main(void) { init(); for (;;) (void)keep[0]; }\n"

# START, address, ADDR by SR1 and SR2, ACK off and STOP before the last byte.
_I2C_OLD = """
static uint32_t start(uint32_t address) {
    REG(I2C) |= 1u << 8;
    while (!(REG(I2C + 0x14) & 1)) { }
    REG(I2C + 0x10) = address;
    while (!(REG(I2C + 0x14) & 2)) {
        if (REG(I2C + 0x14) & 1u << 10) { REG(I2C + 0x14) &= ~(1u << 10); REG(I2C) |= 1u << 9; return 0; }
    }
    return 1;
}
static void put(uint32_t byte) { while (!(REG(I2C + 0x14) & 1u << 7)) { } REG(I2C + 0x10) = byte; }
static void stop(void) { while (!(REG(I2C + 0x14) & 1u << 2)) { } REG(I2C) |= 1u << 9; while (REG(I2C + 0x18) & 2) { } }
uint32_t read_registers(uint32_t address, uint32_t first, uint32_t count) {
    if (!start(address << 1)) return 0xBAD;
    (void)REG(I2C + 0x18);
    put(first);
    while (!(REG(I2C + 0x14) & 1u << 2)) { }
    REG(I2C) |= 1u << 10;
    if (!start(address << 1 | 1)) return 0xBAD;
    uint32_t value = 0, shift = 0;
    if (count == 1) REG(I2C) &= ~(1u << 10);
    if (count == 2) REG(I2C) = (REG(I2C) | 1u << 11) & ~(1u << 10);
    (void)REG(I2C + 0x18);
    while (count > 3) { while (!(REG(I2C + 0x14) & 1u << 6)) { } value |= REG(I2C + 0x10) << shift; shift += 8; count--; }
    if (count == 3) {
        while (!(REG(I2C + 0x14) & 4)) { }
        REG(I2C) &= ~(1u << 10);
        value |= REG(I2C + 0x10) << shift; shift += 8; count--;
    }
    if (count == 2) {
        while (!(REG(I2C + 0x14) & 4)) { }
        REG(I2C) |= 1u << 9;
        value |= REG(I2C + 0x10) << shift; shift += 8;
        return value | REG(I2C + 0x10) << shift;
    }
    REG(I2C) |= 1u << 9;
    while (!(REG(I2C + 0x14) & 1u << 6)) { }
    return value | REG(I2C + 0x10) << shift;
}
uint32_t write_register(uint32_t address, uint32_t at, uint32_t value) {
    if (!start(address << 1)) return 0xBAD;
    (void)REG(I2C + 0x18);
    put(at); put(value); stop();
    return 0;
}
"""
# CR2 with NBYTES; TC before the repeated start, AUTOEND and STOPF in the end.
_I2C_NEW = """
static uint32_t wait(uint32_t flag) {
    for (;;) {
        uint32_t seen = REG(I2C + 0x18);
        if (seen & 1u << 4) {
            while (!(REG(I2C + 0x18) & 1u << 5)) { REG(I2C + 4) |= 1u << 14; }
            REG(I2C + 0x1C) = 1u << 4 | 1u << 5;
            return 0;
        }
        if (seen & flag) return 1;
    }
}
uint32_t read_registers(uint32_t address, uint32_t first, uint32_t count) {
    while (REG(I2C + 0x18) & 1u << 15) { }
    REG(I2C + 4) = address << 1 | 1u << 16 | 1u << 13;
    if (!wait(2)) return 0xBAD;
    REG(I2C + 0x28) = first;
    if (!wait(1u << 6)) return 0xBAD;
    REG(I2C + 4) = address << 1 | 1u << 10 | count << 16 | 1u << 25 | 1u << 13;
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++) { if (!wait(4)) return 0xBAD; value |= REG(I2C + 0x24) << 8 * i; }
    if (!wait(1u << 5)) return 0xBAD;
    REG(I2C + 0x1C) = 1u << 5;
    return value;
}
uint32_t write_register(uint32_t address, uint32_t at, uint32_t value) {
    REG(I2C + 4) = address << 1 | 2u << 16 | 1u << 25 | 1u << 13;
    if (!wait(2)) return 0xBAD;
    REG(I2C + 0x28) = at;
    if (!wait(2)) return 0xBAD;
    REG(I2C + 0x28) = value;
    if (!wait(1u << 5)) return 0xBAD;
    REG(I2C + 0x1C) = 1u << 5;
    return 0;
}
"""
_STM32_PINS = """
static void select(int on) { REG(GPIOA + 0x18) = on ? 1u << (4 + 16) : 1u << 4; }
static void pins(void) { REG(GPIOA) = (REG(GPIOA) & ~(3u << 8)) | 1u << 8; select(0); REG(I2C) |= 1; }
"""
_SPI_OLD = """
static uint8_t exchange(uint8_t byte) {
    while (!(REG(SPI + 8) & 2)) { }
    REG8(SPI + 0xC) = byte;
    while (!(REG(SPI + 8) & 1)) { }
    return REG8(SPI + 0xC);
}
static void init(void) { pins(); REG(SPI + 4) = 7u << 8 | 1u << 12; REG(SPI) = 1u << 2 | 3u << 8; REG(SPI) |= 1u << 6; }
"""
_SPI_NEW = """
static uint8_t exchange(uint8_t byte) {
    REG(SPI + 4) = 1;
    REG(SPI) |= 1;
    REG(SPI) |= 1u << 9;
    while (!(REG(SPI + 0x14) & 2)) { }
    REG8(SPI + 0x20) = byte;
    while (!(REG(SPI + 0x14) & 1)) { }
    byte = REG8(SPI + 0x30);
    while (!(REG(SPI + 0x14) & 8)) { }
    REG(SPI + 0x18) = 0x18;
    REG(SPI) &= ~1u;
    return byte;
}
static void init(void) { pins(); REG(SPI + 8) = 7; REG(SPI + 0xC) = 1u << 22; }
"""
_NRF = """
static volatile uint8_t out[4], in[4];
static uint32_t twim(uint32_t address, uint32_t sent, uint32_t received) {
    REG(TWIM + 0x588) = address;
    REG(TWIM + 0x544) = (uint32_t)out; REG(TWIM + 0x548) = sent;
    REG(TWIM + 0x534) = (uint32_t)in; REG(TWIM + 0x538) = received;
    REG(TWIM + 0x104) = REG(TWIM + 0x124) = 0;
    REG(TWIM + 0x200) = received ? 1u << 7 | 1u << 12 : 1u << 9;
    REG(TWIM + 0x008) = 1;
    while (!REG(TWIM + 0x104)) {
        if (REG(TWIM + 0x124)) { REG(TWIM + 0x124) = 0; REG(TWIM + 0x4C4) = REG(TWIM + 0x4C4); REG(TWIM + 0x014) = 1; }
        else if (REG(TWIM + 0x104)) break;
        else continue;
        while (!REG(TWIM + 0x104)) { }
        return 0xBAD;
    }
    return REG(TWIM + 0x54C) == sent && REG(TWIM + 0x53C) == received ? 0 : 0xDEAD;
}
uint32_t read_registers(uint32_t address, uint32_t first, uint32_t count) {
    out[0] = first;
    uint32_t failed = twim(address, 1, count), value = 0;
    for (uint32_t i = 0; i < count; i++) value |= in[i] << 8 * i;
    return failed ? failed : value;
}
uint32_t write_register(uint32_t address, uint32_t at, uint32_t value) {
    out[0] = at; out[1] = value;
    REG(TWIM + 0x53C) = 0;
    return twim(address, 2, 0);
}
static void select(int on) { REG(0x50000500u + (on ? 0x0C : 0x08)) = 1u << 4; }
static uint8_t exchange(uint8_t byte) {
    out[0] = byte;
    REG(SPIM + 0x544) = (uint32_t)out; REG(SPIM + 0x548) = 1;
    REG(SPIM + 0x534) = (uint32_t)in; REG(SPIM + 0x538) = 1;
    REG(SPIM + 0x118) = 0;
    REG(SPIM + 0x010) = 1;
    while (!REG(SPIM + 0x118)) { }
    return in[0];
}
static void init(void) { select(0); REG(0x50000518u) = 1u << 4; REG(TWIM + 0x500) = 6; REG(SPIM + 0x500) = 7; }
"""
_RP = """
static uint32_t command(uint32_t value) {
    REG(I2C + 0x10) = value;
    while (!(REG(I2C + 0x34) & 1u << 4)) { }
    if (!REG(I2C + 0x80)) return 1;
    (void)REG(I2C + 0x54);
    while (!(REG(I2C + 0x34) & 1u << 9)) { }
    (void)REG(I2C + 0x60);
    return 0;
}
static void target(uint32_t address) { REG(I2C + 0x6C) = 0; REG(I2C + 4) = address; REG(I2C + 0x6C) = 1; }
uint32_t read_registers(uint32_t address, uint32_t first, uint32_t count) {
    uint32_t value = 0;
    target(address);
    if (!command(first)) return 0xBAD;
    for (uint32_t i = 0; i < count; i++) {
        REG(I2C + 0x10) = 1u << 8 | (i == 0) << 10 | (i + 1 == count) << 9;
        while (!REG(I2C + 0x78)) { if (REG(I2C + 0x80)) { (void)REG(I2C + 0x54); return 0xBAD; } }
        value |= (REG(I2C + 0x10) & 0xFF) << 8 * i;
    }
    return value;
}
uint32_t write_register(uint32_t address, uint32_t at, uint32_t value) {
    target(address);
    if (!command(at) || !command(value | 1u << 9)) return 0xBAD;
    while (!(REG(I2C + 0x34) & 1u << 9)) { }
    (void)REG(I2C + 0x60);
    return 0;
}
static void select(int on) { REG(0xD0000000u + (on ? 0x18 : 0x14)) = 1u << 4; }
static uint8_t exchange(uint8_t byte) {
    while (!(REG(SPI + 0xC) & 2)) { }
    REG(SPI + 8) = byte;
    while (!(REG(SPI + 0xC) & 4)) { }
    return REG(SPI + 8);
}
static void init(void) { select(0); REG(0xD0000024u) = 1u << 4; REG(SPI) = 7; REG(SPI + 0x2000 + 4) = 2; }
"""


@dataclass(frozen=True, slots=True)
class Master:
    """Firmware for `board`, with the names of its controllers and of the pin that selects the device on SPI."""

    board: str
    code: str
    i2c: str
    spi: str
    select: str
    defines: str


MASTERS = [
    Master("stm32f4_discovery", _STM32_PINS + _I2C_OLD + _SPI_OLD, "i2c1", "spi1", "PA4",
           "-DGPIOA=0x40020000 -DI2C=0x40005400 -DSPI=0x40013000"),
    Master("nucleo_l4r5zi", _STM32_PINS + _I2C_NEW + _SPI_OLD, "i2c1", "spi1", "PA4",
           "-DGPIOA=0x48000000 -DI2C=0x40005400 -DSPI=0x40013000"),
    Master("nucleo_u575zi_q", _STM32_PINS + _I2C_NEW + _SPI_NEW, "i2c1", "spi1", "PA4",
           "-DGPIOA=0x42020000 -DI2C=0x40005400 -DSPI=0x40013000"),
    Master("nrf52840dk", _NRF, "twim0", "spim1", "P0.4", "-DTWIM=0x40003000 -DSPIM=0x40004000"),
    Master("raspberry_pi_pico", _RP, "i2c0", "spi0", "GPIO4", "-DI2C=0x40044000 -DSPI=0x4003C000"),
]  # fmt: skip


def master_firmware(folder: Path, master: Master) -> Path:
    """The ELF of `master`."""
    return peripheral_firmware(folder, master.board, _HEAD + master.code + _MAIN, master.defines)
