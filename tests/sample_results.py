"""A small, complete `Results`, with hostile names in it, for tests of reports."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.results.cost_records import CallNode, FunctionResult, LayerResult
from mcu_harness.results.memory_records import RegionResult, SectionResult, SymbolResult
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import (
    Contributor,
    Finding,
    Measurement,
    OutputCheck,
    Provenance,
    Results,
    RunResult,
    Tool,
    Verdict,
)

HOSTILE = "<script>alert(1)</script>|`x`\n# boo"

LAYERS = (
    LayerResult(0, "00 CONV_2D", "CONV_2D", 5000, 21_000.0, 26_000.0, 1200, 8000),
    LayerResult(1, "01 RESHAPE", "RESHAPE", 0, 10.0, 14.0, 24, 4000),
    LayerResult(2, "02 SOFTMAX", "SOFTMAX", 0, None, None, 600, None),
)

MEASUREMENTS = {
    m.name: m
    for m in (
        Measurement("instructions", 21_410.5, "instructions", "counted: unicorn 2.1.4", OriginKind.COUNTED),
        Measurement("cycles", 26_514.0, "cycles", "estimated: cycle-approximate, not validated", OriginKind.ESTIMATED),
        Measurement("latency_s", 26_514 / 168e6, "s", "estimated: the cycles at 168 MHz", OriginKind.ESTIMATED),
        Measurement("flash_bytes", 6_144, "B", "ELF", OriginKind.ELF),
        Measurement("ram_bytes", 8_200, "B", "ELF", OriginKind.ELF),
        Measurement("arena_bytes", 8_000, "B", "memory plan", OriginKind.PLAN),
        Measurement("stack_hwm_bytes", None, "B", "not measured: the run did not finish", OriginKind.NOT_MEASURED),
    )
}

PASSING = RunResult(
    scenario="tiny",
    model="tiny",
    board="board_a",
    core="cortex-m4",
    clock_hz=168_000_000,
    emulator=Tool("unicorn", "2.1.4"),
    toolchain=Tool("gnu", "12.2.1", ("-O2", "-mthumb")),
    verdict=Verdict.PASS,
    findings=(),
    measurements=MEASUREMENTS,
    budgets={"flash_bytes": 8192.0},
    layers=LAYERS,
    functions=(FunctionResult("conv_2d_s8", 1.0, 20_000.0, 25_000.0, 20_500.0, 25_600.0),),
    calls=(CallNode("(root)", -1, 100.0, 120.0), CallNode("conv_2d_s8", 0, 20_000.0, 25_000.0)),
    outputs=OutputCheck("LiteRT 2.3.0 BUILTIN_REF", "single in FULLY_CONNECTED", 4, 0, 0),
    regions=(RegionResult("flash", "flash", 0x08000000, 6_144, 1 << 20),),
    sections=(SectionResult(".text", "flash", 6_000, 0),),
    symbols=(
        SymbolResult("conv_2d_s8", ".text", "flash", 900, 0, None),
        SymbolResult(HOSTILE, ".text", "flash", 100, 0, None),
    ),
    console="mcu-harness: start\nmcu-harness: done\n",
    provenance=Provenance("0.1.0", "0123456789abcdef", "aa" * 32, 2704, "bb" * 32, "cc" * 32, "portable-1", "m4-1", ""),
)

FAILING = replace(
    PASSING,
    board="board_b",
    core="cortex-m0+",
    verdict=Verdict.FAIL,
    findings=(
        Finding(
            "budget.flash",
            Verdict.FAIL,
            "flash is 6.0 KiB, 1.0 KiB (20.0 %) over the budget of 5.0 KiB",
            "cut the largest contributors",
            5120,
            6144,
            "B",
            (*(Contributor(f"symbol_{i}", 600 - i) for i in range(7)), Contributor(HOSTILE, 1)),
        ),
    ),
)

RESULTS = Results((PASSING, FAILING))
