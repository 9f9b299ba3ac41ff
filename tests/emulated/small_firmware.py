"""Small firmware of our own for tests of emulators: the project's runtime around a C body for `mcu_infer`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mcu_harness.emulator.contract import RunPlan, Window
from mcu_harness.hardware.board import Board
from mcu_harness.image.build import build
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.toolchain import find_toolchain
from mcu_harness.model.codegen.sources import Sources

PRELUDE = '#include "runtime.h"\n#include <stdint.h>\n#define REGISTER(a) (*(volatile uint32_t *)(a))\n'

# A loop with calls, loads, stores, branches both ways and a result to read.
SUM_OF_SQUARES = """
volatile uint32_t input[4] = {1, 2, 3, 4}, output[4];
__attribute__((noinline)) static uint32_t square(uint32_t x) { return x * x + (x & 1 ? 3 : 5); }
void mcu_infer(void) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        total += square(input[i & 3] + i);
        output[i & 3] = total;
    }
}
"""


def firmware(board: Board, code: str, cache: Path, toolchain: str = "auto") -> Program:
    """Build `code`, which must define mcu_infer, with the runtime of `board`."""
    sources = Sources({"model.c": PRELUDE + code}, (), (), (), (), (), 0, "test", ())
    return read_program(build(sources, board, find_toolchain(toolchain), cache).elf)


def plan_for(
    program: Program,
    windows: Sequence[Window] = (Window(),),
    *,
    profile: bool = True,
    max_instructions: int = 200_000_000,
    timeout_s: float = 30.0,
) -> RunPlan:
    """The plan that the pipeline makes for generated firmware, with the number of inferences set."""
    count = (program.symbol("mcu_inferences").address, len(windows).to_bytes(4, "little"))
    windows = [
        Window((*window.writes, count) if i == 0 else window.writes, window.reads) for i, window in enumerate(windows)
    ]
    return RunPlan(
        begin=program.symbol("mcu_infer").address,
        end=program.symbol("mcu_window_end").address,
        exit=program.symbol("mcu_exit").address,
        windows=tuple(windows),
        stack=(program.symbol("__stack_limit").address, program.symbol("__stack_top").address),
        max_instructions=max_instructions,
        timeout_s=timeout_s,
        profile=profile,
    )
