"""Results as large as reports must bear: many layers, many symbols, many boards. Made by arithmetic, the same each time."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.results.cost_records import CallNode, FunctionResult, LayerResult
from mcu_harness.results.memory_records import ArenaBlock, RegionResult, SectionResult, StackArea, SymbolResult
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import BoardFacts, Finding, Measurement, Results, RunResult, Verdict
from sample_results import FAILING, PASSING

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "FULLY_CONNECTED", "SOFTMAX", "RESHAPE")


def big_run(scenario: str, board: str, *, layers: int, symbols: int, seed: int = 1) -> RunResult:
    """A run with `layers` layers and about `symbols` symbols; other figures for another `seed`."""
    rows, calls, arena = [], [CallNode("mcu_infer", -1, 10.0, 12.0)], []
    for i in range(layers):
        operator = OPERATORS[(i * 7 + 1) % len(OPERATORS)]
        cycles = 1000.0 + (i * i * 7919 * seed) % 90_000
        rows.append(
            LayerResult(
                i,
                f"{i:02d} {operator}",
                operator,
                (i * 37) % 5000,
                cycles * 0.8,
                cycles,
                200 + i % 900,
                4000 + (i * 131) % 9000,
            )
        )
        calls.append(CallNode(f"mcu_layer_{i:02d}_{operator.lower()}", 0, 5.0, 6.0))
        own = len(calls) - 1
        calls += [
            CallNode(f"mcu_{operator.lower()}_s8", own, cycles * 0.5, cycles * 0.6),
            CallNode("mcu_finish_channels", own + 1, cycles * 0.3, cycles * 0.39),
        ]
        offset = 0 if i % 2 else 6000
        arena.append(ArenaBlock(f"{i} activation", "tensor", offset, 3000 + (i * 131) % 2900, i - 1, i))
    found = [
        SymbolResult(
            f"mcu_layer_{i % layers:02d}_{OPERATORS[(i % layers * 7 + 1) % len(OPERATORS)].lower()}_part_{i}"
            if i % 4
            else f"shared_function_with_a_long_name_{i}",
            ".rodata" if i % 4 else ".text",
            "flash",
            16 + (i * i * 31) % 700,
            0,
            i % layers if i % 4 else None,
        )
        for i in range(symbols - 2)
    ]
    found += [
        SymbolResult("mcu_arena", ".bss", "sram", 0, 13_000, None),
        SymbolResult("mcu_state", ".data", "sram", 64, 64, None),
    ]
    flash, cycles = sum(symbol.flash_bytes for symbol in found), sum(row.cycles or 0 for row in rows)
    text = sum(symbol.flash_bytes for symbol in found if symbol.section == ".text")
    figures = (
        Measurement("instructions", cycles * 0.8, "instructions", "counted: unicorn 2.1.4", OriginKind.COUNTED),
        Measurement(
            "cycles",
            cycles,
            "cycles",
            "estimated: cycle-approximate, +-4 % on 12 hardware measurements",
            OriginKind.ESTIMATED,
        ),
        Measurement("latency_s", cycles / (1e7 * seed), "s", "estimated: the cycles above", OriginKind.ESTIMATED),
        Measurement("flash_bytes", flash, "B", "ELF: all initial bytes, by address", OriginKind.ELF),
        Measurement("ram_bytes", 13_064, "B", "ELF: .data, .bss and .noinit, the arena included", OriginKind.ELF),
        Measurement("arena_bytes", 13_000, "B", "memory plan", OriginKind.PLAN),
        Measurement("stack_hwm_bytes", 480, "B", "painted and scanned: unicorn 2.1.4", OriginKind.SCANNED),
        Measurement(
            "energy_j",
            cycles * 1e-10 * seed,
            "J",
            "estimated: 100 uA/MHz at 3.3 V times the cycles above",
            OriginKind.ESTIMATED,
        ),
    )
    return replace(
        PASSING,
        scenario=scenario,
        model=scenario,
        board=board,
        clock_hz=10_000_000 * seed,
        measurements={figure.name: figure for figure in figures},
        budgets={"flash_bytes": flash * 1.3, "latency_s": cycles / 4e7},
        layers=tuple(rows),
        functions=tuple(
            FunctionResult(f"mcu_{name.lower()}_s8", 40.0, cycles / 9, cycles / 8, cycles / 7, cycles / 6)
            for name in OPERATORS
        ),
        calls=tuple(calls),
        regions=(
            RegionResult("flash", "flash", 0x08000000, flash, 4 << 20, "code"),
            RegionResult("sram", "ram", 0x20000000, 13_064, (16 + 8 * seed) << 10, "data"),
        ),
        sections=(
            SectionResult(".text", "flash", text, 0, 0x08000000, text, 0x08000000, "flash"),
            SectionResult(".rodata", "flash", flash - text - 64, 0, 0x08000000 + text, flash - text - 64),
            SectionResult(".data", "sram", 64, 64, 0x20000000, 64, 0x08000000 + flash - 64, "flash"),
            SectionResult(".bss", "sram", 0, 13_000, 0x20000040, 13_000),
        ),
        symbols=tuple(found),
        arena=tuple(arena),
        stack_area=StackArea(0x20003308, 0x20000000 + ((16 + 8 * seed) << 10)),
        board_facts=BoardFacts(f"Board number {seed}", "A vendor", f"PART{seed}", "low" if seed < 20 else "high"),
    )


def with_breach(run: RunResult) -> RunResult:
    """`run` as one that breaks its latency budget."""
    latency = run.value("latency_s") or 0.0
    finding = Finding(
        "budget.latency",
        Verdict.FAIL,
        "latency is over its budget",
        "look at the layers or functions that take the largest share, or raise the clock",
        latency * 0.8,
        latency,
        "s",
        FAILING.findings[0].contributors,
    )
    return replace(run, verdict=Verdict.FAIL, findings=(finding,), budgets={**run.budgets, "latency_s": latency * 0.8})


def big_results(boards: int, *, layers: int = 500, symbols: int = 5000) -> Results:
    """One model on `boards` boards; every fifth breaks its budget."""
    runs = [big_run("large", f"board_{n:02d}", layers=layers, symbols=symbols, seed=n + 1) for n in range(boards)]
    return Results(tuple(with_breach(run) if n % 5 == 4 else run for n, run in enumerate(runs)))
