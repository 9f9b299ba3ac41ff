"""Arm Cortex-M cores as data: what each can execute, what belongs to it, and its name in every tool that is asked for it.

A new core is a row here and its cycle table, a module of `analysis/profile/cycles/cores` that is found by the core's name; where
its own registers differ from its architecture's, `arm/system_registers.py` says so. Nothing else asks for a core by name. A new
architecture is described in `architecture.py` and `arm/instruction_set.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.hardware.architecture import V6, V7, V7E, V8_BASELINE, V8_MAINLINE, Architecture


@dataclass(frozen=True, slots=True)
class L1Caches:
    """A core's own first-level caches: one for instructions and one for data, so that constants do not share with code."""

    line_bytes: int
    data_ways: int


@dataclass(frozen=True, slots=True)
class Core:
    """A core without its options (FPU, DSP: those are a board's).

    `gcc_cpu`, `zig_cpu`, `unicorn` and `renode` are its names there. `unicorn` is the QEMU CPU model that the embedded emulator
    runs it as: the M0+ has the M0's instruction set, the M23 a part of the M33's. `cpuid` is the CPUID register of the
    revision in Arm's Technical Reference Manual. `interrupts` are external ones, at most; a part may have fewer.
    `bit_band`: parts with this core may have the bit-band aliases.
    """

    name: str
    architecture: Architecture
    gcc_cpu: str
    zig_cpu: str
    unicorn: str
    renode: str
    cpuid: int
    interrupts: int
    dsp: str = "never"  # "always", "optional"
    fpus: tuple[str, ...] = ()  # what a board may name besides "none"
    l1: L1Caches | None = None
    bit_band: bool = False
    starts_two: bool = False  # two instructions in a cycle: a load of two words gains nothing over two loads

    @property
    def mpu_regions(self) -> tuple[int, ...]:
        """How many regions its memory protection unit may have; 0 is none (the architecture manuals' MPU chapters, and each core's)."""
        if self.architecture.v8:
            return (0, 4, 8, 12, 16)
        return {"cortex-m0": (0,), "cortex-m7": (0, 8, 16)}.get(self.name, (0, 8))

    @property
    def title(self) -> str:
        """As Arm writes it, e.g. "Cortex-M0+"."""
        return self.name.title()


# Interrupts: the Technical Reference Manuals' chapters on the NVIC (M0: DDI 0432, M0+: DDI 0484, M3: DDI 0337, M4: DDI 0439,
# M7: DDI 0489, M23: DDI 0550, M33: 100230). The M7's caches: DDI 0489, 5.1.
_ALL = (
    Core("cortex-m0", V6, "cortex-m0", "cortex_m0", "CORTEX_M0", "cortex-m0", 0x410CC200, 32),
    Core("cortex-m0+", V6, "cortex-m0plus", "cortex_m0plus", "CORTEX_M0", "cortex-m0+", 0x410CC601, 32),
    Core("cortex-m3", V7, "cortex-m3", "cortex_m3", "CORTEX_M3", "cortex-m3", 0x412FC231, 240, bit_band=True),
    Core(
        "cortex-m4", V7E, "cortex-m4", "cortex_m4", "CORTEX_M4", "cortex-m4f", 0x410FC241, 240, "always",
        ("fpv4-sp-d16",), bit_band=True,
    ),
    Core(
        "cortex-m7", V7E, "cortex-m7", "cortex_m7", "CORTEX_M7", "cortex-m7", 0x411FC272, 240, "always",
        ("fpv5-sp-d16", "fpv5-d16"), L1Caches(line_bytes=32, data_ways=4), starts_two=True,
    ),
    Core("cortex-m23", V8_BASELINE, "cortex-m23", "cortex_m23", "CORTEX_M33", "cortex-m23", 0x411CD200, 240),
    Core(
        "cortex-m33", V8_MAINLINE, "cortex-m33", "cortex_m33", "CORTEX_M33", "cortex-m33", 0x410FD213, 480, "optional",
        ("fpv5-sp-d16",),
    ),
)  # fmt: skip

CORES: dict[str, Core] = {core.name: core for core in _ALL}
