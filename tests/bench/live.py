"""Live boards against one long run, and against another simulator of boards on the same ELF to the same console line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mcu_harness.analysis.coverage.executed import executed
from mcu_harness.analysis.coverage.source import coverage
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.app.live.firmware import TestPlace
from mcu_harness.app.live.opening import open_board
from mcu_harness.emulator.kept import KeptEmulators

BOARD = "stm32f4_discovery"  # 192 KiB of RAM
PEER_CHIP = "stm32f407"
TURNS = 1000  # of some 25,000 instructions each, before the firmware says that it is done

# Computes for a while, then speaks on USART2 (RM0090, 30.6); a start without a C library, which any simulator runs.
FIRMWARE = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define APART __attribute__((noinline))
int main(void);
static void begin(void) { main(); for (;;) { } }
__attribute__((section(".vectors"), used)) void *const vectors[] = { (void *)0x20010000, (void *)begin };
static void print(const char *text) { while (*text) { while (!(REG(0x40004400) & 0x80)) { } REG(0x40004404) = *text++; } }
static uint8_t data[256];
static uint32_t state = 1;
volatile uint32_t result;
static APART uint32_t next(void) { state = state * 1664525u + 1013904223u; return state >> 8; }
static APART void fill(void) { for (int i = 0; i < 256; i++) data[i] = (uint8_t)next(); }
static APART uint32_t crc(void) {
    uint32_t crc = ~0u;
    for (int i = 0; i < 256; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}
static APART void sort(int n) {
    for (int i = 1; i < n; i++) {
        uint8_t x = data[i];
        int at = i;
        for (; at > 0 && data[at - 1] > x; at--) data[at] = data[at - 1];
        data[at] = x;
    }
}
int main(void) {
    REG(0x40023840) |= 1u << 17;
    REG(0x4000440C) = 1u << 13 | 1u << 3;
    print("begin\\n");
    for (uint32_t i = 0; i < TURNS; i++) { fill(); result += crc(); sort(64); }
    print("done\\n");
    for (;;) { }
}
"""
SCRIPT = """
ENTRY(vectors)
SECTIONS { . = 0x08000000; .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
  . = 0x20000000; .data : { *(.data*) } .bss : { *(.bss*) *(COMMON) } }
"""


def firmware(folder: Path, turns: int) -> Path:
    """The ELF; needs arm-none-eabi-gcc."""
    (folder / "main.c").write_text(FIRMWARE)
    (folder / "link.ld").write_text(SCRIPT)
    elf = folder / f"turns_{turns}.elf"
    flags = ["-mcpu=cortex-m4", "-mthumb", "-O1", "-g", "-nostdlib", "-T", "link.ld", f"-DTURNS={turns}u"]
    subprocess.run(["arm-none-eabi-gcc", *flags, "main.c", "-o", elf.name], cwd=folder, check=True)
    return elf


@contextmanager
def board_of(elf: Path) -> Iterator[LiveBoard]:
    place = TestPlace(elf.parent / "test.py", "bench", "bench")
    board = open_board(elf, BOARD, place, lambda _, result, __: result, KeptEmulators())
    try:
        yield board
    finally:
        board.close()


def processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def to_the_line(elf: Path) -> float:
    """Processor seconds from a fresh board to its last line; what is imported and compiled once is not in it."""

    def work() -> None:
        with board_of(elf) as board:
            board.expect("done", timeout="1000 s")

    return processor_seconds(work)


def peer_to_the_line(elf: Path, python: str) -> float:
    """The same in labwired, in the Python that has it."""
    code = (
        "import sys, time\nfrom labwired import Sim\nstarted = time.process_time()\n"
        f"with Sim({str(elf)!r}, chip={PEER_CHIP!r}) as sim:\n    sim.expect('done', timeout='1000s')\n"
        "print(time.process_time() - started)\n"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed")
    return float(done.stdout.split()[-1])


def whole_and_sliced(elf: Path, seconds: float) -> tuple[float, float]:
    """Processor seconds of `seconds` of the board's time at once, and in slices of a millisecond."""
    with board_of(elf) as board:
        board.expect("begin")
        start = board.snapshot()
        board.run_for(seconds)  # everything is translated and priced
        board.restore(start)
        whole = processor_seconds(lambda: board.run_for(seconds))
        board.restore(start)
        sliced = processor_seconds(lambda: [board.run_for("1 ms") for _ in range(round(seconds * 1000))])
    return whole, sliced


def snapshot_and_restore(elf: Path) -> float:
    """Processor seconds of both, once, of a board with 192 KiB of RAM that ran in between."""
    with board_of(elf) as board:
        board.expect("begin")
        taken = []
        for _ in range(20):
            snapshots = []
            taken.append(processor_seconds(lambda kept=snapshots: kept.append(board.snapshot())))
            board.run_for("1 ms")
            taken[-1] += processor_seconds(lambda kept=snapshots: board.restore(kept[0]))
    return min(taken)


def find_peer() -> str:
    """A Python that has labwired: this one, or what LABWIRED_PYTHON names; "" without."""
    for python in (sys.executable, os.environ.get("LABWIRED_PYTHON", "")):
        if (
            python
            and not subprocess.run([python, "-c", "import labwired"], capture_output=True, check=False).returncode
        ):
            return python
    return ""


def coverage_cost(elf: Path) -> float:
    """What reading the coverage of a run takes, as a share of that run of two seconds of the board's time."""
    with board_of(elf) as board:
        board.expect("begin")
        ran = processor_seconds(lambda: board.run_for("2 s"))
        program, machine = board._firmware.program, board._machine
        counts = machine.end(board._since_reset).counts
        covered = min(processor_seconds(lambda: coverage(program, executed(counts))) for _ in range(5))
    return covered / ran
