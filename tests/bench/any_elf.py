"""Firmware of an ordinary mix of code: 100 million instructions, as `mcu-harness profile` runs it."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import read_program
from tests.bench.emulation import without_hooks
from tests.emulated.small_firmware import firmware, plan_for

BOARD = "stm32f4_discovery"
ROUNDS = 521  # 100 million instructions with GCC 12.2, and about as many with others

# Sorting, hashing, bits, fixed point, text, recursion and calls through pointers: a new block every 5.8 instructions,
# as the mean of the Embench-IoT 2.0 programs has for a Cortex-M4.
CODE = """
#define WORDS 512
static uint32_t words[WORDS], table[256];
static char text[256];
static int32_t samples[256], taps[32];
static uint32_t seed = 1;
volatile uint32_t result;

__attribute__((noinline)) static uint32_t next(void) { seed = seed * 1664525u + 1013904223u; return seed >> 8; }
__attribute__((noinline)) static void swap(uint32_t *a, uint32_t *b) { uint32_t t = *a; *a = *b; *b = t; }
__attribute__((noinline)) static void sort(uint32_t *v, int low, int high) {
    if (low >= high) return;
    uint32_t pivot = v[(low + high) / 2];
    int i = low, j = high;
    while (i <= j) {
        while (v[i] < pivot) i++;
        while (v[j] > pivot) j--;
        if (i <= j) swap(&v[i++], &v[j--]);
    }
    sort(v, low, j);
    sort(v, i, high);
}
__attribute__((noinline)) static uint32_t checksum(const uint8_t *data, int size) {
    uint32_t crc = ~0u;
    for (int i = 0; i < size; i++) crc = table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
    return ~crc;
}
__attribute__((noinline)) static int count_words(const char *s) {
    int words = 0, inside = 0;
    for (; *s; s++) {
        int letter = *s != ' ' && *s != ',';
        words += letter && !inside;
        inside = letter;
    }
    return words;
}
__attribute__((noinline)) static int32_t filter(int at) {
    int64_t sum = 0;
    for (int i = 0; i < 32; i++) sum += (int64_t)samples[(at + i) & 255] * taps[i];
    return (int32_t)(sum >> 15);
}
#define TURN(a, b, c, d, x, n) a += (d ^ (b & (c ^ d))) + x; a = (a << n | a >> (32 - n)) + b;
__attribute__((noinline)) static uint32_t digest(const uint32_t *v, int blocks) {
    uint32_t a = 0x67452301, b = 0xefcdab89, c = 0x98badcfe, d = 0x10325476;
    for (; blocks; blocks--, v += 8) {
        TURN(a, b, c, d, v[0], 7) TURN(d, a, b, c, v[1], 12) TURN(c, d, a, b, v[2], 17) TURN(b, c, d, a, v[3], 22)
        TURN(a, b, c, d, v[4], 5) TURN(d, a, b, c, v[5], 9) TURN(c, d, a, b, v[6], 14) TURN(b, c, d, a, v[7], 20)
    }
    return a ^ b ^ c ^ d;
}
__attribute__((noinline)) static uint32_t gcd(uint32_t a, uint32_t b) { while (b) { uint32_t t = a % b; a = b; b = t; } return a; }
static uint32_t add(uint32_t a, uint32_t b) { return a + b; }
static uint32_t mix(uint32_t a, uint32_t b) { return (a << 5 | a >> 27) ^ b; }
static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }
static uint32_t (*const steps[])(uint32_t, uint32_t) = {add, mix, most};

void mcu_infer(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
        table[i] = c;
        samples[i] = (int32_t)(next() & 0xffff) - 32768;
        taps[i & 31] = (int32_t)(next() & 0x7fff);
        text[i] = i == 255 ? 0 : next() % 6 ? 'a' + i % 26 : ' ';
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WORDS; i++) words[i] = next();
        uint32_t total = checksum((const uint8_t *)words, sizeof words);
        sort(words, 0, WORDS - 1);
        for (int i = 0; i < 1000; i++) total = steps[i % 3](total, words[i & (WORDS - 1)]);
        for (int i = 0; i < 128; i++) total += (uint32_t)filter(i);
        for (int i = 1; i < 64; i++) total ^= gcd(words[i], words[i + 1] | 1);
        for (int i = 0; i < 8; i++) total += (uint32_t)count_words(text + i);
        for (int i = 0; i < 16; i++) total ^= digest(words + 8 * i, WORDS / 8 - i);
        result = total;
    }
}
"""


def build(folder: Path) -> Path:
    """The firmware's ELF."""
    return firmware(find_board(BOARD), CODE.replace("ROUNDS", str(ROUNDS)), folder).path


def plain_and_profiled(elf: Path, rounds: int) -> tuple[float, float, int]:
    """Best seconds without hooks and with the profile, and the instructions that they are."""
    board, program = find_board(BOARD), read_program(elf)
    plan = plan_for(program)
    plain, profiled, instructions = [], [], 0
    for _ in range(rounds):
        plain.append(without_hooks(program, board, plan))
        execution = UnicornEmulator().run(program, board, plan)
        profiled.append(execution.emulation_s)
        instructions = sum(execution.window_instructions)
    return min(plain), min(profiled), instructions
