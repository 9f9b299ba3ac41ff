"""Boards made in memory, for tests of what depends on a core, a memory map or a console and on no real board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mcu_harness.hardware.board import Board, Console, Memory, RegisterStep
from mcu_harness.hardware.core import CORES

FLASH = 0x0800_0000
SRAM = 0x2000_0000

# (core, fpu, dsp): each combination that firmware is compiled for.
TARGETS = (
    ("cortex-m0", "none", False),
    ("cortex-m0+", "none", False),
    ("cortex-m3", "none", False),
    ("cortex-m4", "none", True),
    ("cortex-m4", "fpv4-sp-d16", True),
    ("cortex-m7", "fpv5-sp-d16", True),
    ("cortex-m7", "fpv5-d16", True),
    ("cortex-m23", "none", False),
    ("cortex-m33", "none", False),
    ("cortex-m33", "none", True),
    ("cortex-m33", "fpv5-sp-d16", True),
)


def memory(name: str, kind: str, origin: int, size: int, alias_of: str = "") -> Memory:
    return Memory(name, kind, origin, size, 0, 4, "none", 0, 0, 0, 0, alias_of)


def board(
    core: str = "cortex-m4",
    fpu: str = "none",
    dsp: bool | None = None,
    *,
    memories: tuple[Memory, ...] = (memory("flash", "flash", FLASH, 64 << 10), memory("sram", "ram", SRAM, 16 << 10)),
    code: str = "flash",
    vector_offset: int = 0,
    driver: str = "none",
    base: int = 0x4000_4400,
    enable: tuple[RegisterStep, ...] = (),
) -> Board:
    """A board with 64 KiB of flash and 16 KiB of RAM unless told otherwise."""
    kind = CORES[core]
    return Board(
        name="sample",
        title="Sample",
        vendor="nobody",
        part="none",
        core=kind,
        fpu=fpu,
        dsp=kind.dsp == "always" if dsp is None else dsp,
        multiplier_cycles=1,
        clock_hz=16_000_000,
        memories=memories,
        code=code,
        data="sram",
        vector_offset=vector_offset,
        console=Console(driver, base, enable, ""),
        current_a_per_hz=None,
        supply_v=None,
        price_class="",
        renode_platform="",
        sources=(),
        path=Path("sample.toml"),
        digest="",
    )


def with_memories(original: Board, *memories: Memory) -> Board:
    return replace(original, memories=memories)
