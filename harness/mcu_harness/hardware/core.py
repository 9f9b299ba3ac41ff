"""Arm Cortex-M cores as data: what each can execute, and its name in every tool that is asked for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Core:
    """A core without its options (FPU, DSP: those are a board's).

    `unicorn` is the QEMU CPU model the embedded emulator runs it as: the M0+ has the M0's instruction set, the M23 a
    part of the M33's.
    """

    name: str
    architecture: str
    gcc_cpu: str
    zig_cpu: str
    unicorn: str
    renode: str
    dsp: str  # "never", "always", "optional"
    fpus: tuple[str, ...]  # what a board may name besides "none"
    has_division: bool
    has_unaligned: bool


_ALL = (
    Core("cortex-m0", "armv6-m", "cortex-m0", "cortex_m0", "CORTEX_M0", "cortex-m0", "never", (), False, False),
    Core("cortex-m0+", "armv6-m", "cortex-m0plus", "cortex_m0plus", "CORTEX_M0", "cortex-m0+", "never", (), False, False),
    Core("cortex-m3", "armv7-m", "cortex-m3", "cortex_m3", "CORTEX_M3", "cortex-m3", "never", (), True, True),
    Core("cortex-m4", "armv7e-m", "cortex-m4", "cortex_m4", "CORTEX_M4", "cortex-m4f", "always", ("fpv4-sp-d16",), True, True),
    Core(
        "cortex-m7", "armv7e-m", "cortex-m7", "cortex_m7", "CORTEX_M7", "cortex-m7", "always",
        ("fpv5-sp-d16", "fpv5-d16"), True, True,
    ),
    Core("cortex-m23", "armv8-m.base", "cortex-m23", "cortex_m23", "CORTEX_M33", "cortex-m23", "never", (), True, False),
    Core("cortex-m33", "armv8-m.main", "cortex-m33", "cortex_m33", "CORTEX_M33", "cortex-m33", "optional", ("fpv5-sp-d16",), True, True),
)  # fmt: skip

CORES: dict[str, Core] = {core.name: core for core in _ALL}
