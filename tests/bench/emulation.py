"""The same image in the embedded emulator with the full profile, and in bare Unicorn without any hook, in turns."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from mcu_harness.analysis.memory.objects import Layout, cuts
from mcu_harness.analysis.result_tables import arena_blocks
from mcu_harness.app.inference_plan import run_plan
from mcu_harness.emulator.contract import RunPlan, TraceRequest
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import build
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.toolchain import find_toolchain
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.codegen.sources import ARENA_SYMBOL
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.scenario.scenario import InputSpec

MODEL = Path(__file__).parent.parent.parent / "scenarios" / "models" / "image_classification.tflite"


def plain_and_profiled(rounds: int, inferences: int = 8) -> tuple[float, float, int]:
    """Best seconds of `inferences` without hooks and with the profile, and the instructions that they are."""
    board = find_board("stm32f4_discovery")
    graph = model_graph(MODEL)
    sources = generate(graph, plan_memory(graph, board.target), board.target)
    program = read_program(build(sources, board, find_toolchain("auto")).elf)
    inputs = samples_for(MODEL, InputSpec(seed=1, count=inferences)).inputs
    plan = run_plan(program, sources, graph, inputs, sources.outputs)
    emulator = UnicornEmulator()
    plain, profiled, instructions = [], [], 0
    for _ in range(rounds):
        plain.append(without_hooks(program, board, plan))
        execution = emulator.run(program, board, plan)
        profiled.append(execution.emulation_s)
        instructions = sum(execution.window_instructions)
    return min(plain), min(profiled), instructions


def plain_and_traced(rounds: int, inferences: int = 4) -> tuple[float, float]:
    """Best processor seconds of `inferences` without hooks and with a memory trace of the whole run, by tensor and symbol.

    Both include the making of the engine, and the trace also its tables.
    """
    board = find_board("stm32f4_discovery")
    graph = model_graph(MODEL)
    memory = plan_memory(graph, board.target)
    sources = generate(graph, memory, board.target)
    program = read_program(build(sources, board, find_toolchain("auto")).elf)
    inputs = samples_for(MODEL, InputSpec(seed=1, count=inferences)).inputs
    plan = run_plan(program, sources, graph, inputs, sources.outputs)
    arena = program.symbol(ARENA_SYMBOL).address
    layout = Layout(program, board, plan.stack, arena_blocks(graph, memory), arena)
    plan = replace(plan, trace=TraceRequest(cuts(layout), whole=True))
    emulator = UnicornEmulator()
    plain, traced = [], []
    for _ in range(rounds):
        started = time.thread_time()
        without_hooks(program, board, plan)
        between = time.thread_time()
        emulator.run(program, board, plan)
        plain.append(between - started)
        traced.append(time.thread_time() - between)
    return min(plain), min(traced)


def without_hooks(program: Program, board: Board, plan: RunPlan) -> float:
    """Seconds from reset to exit, with the same number of inferences, of an engine with no block hook."""
    vectors = board.code_memory.origin + board.vector_offset
    engine = Engine(board, send=lambda _: None, elapsed=lambda: 0, vectors=vectors)
    engine.memory.load(program)
    stack, reset = engine.memory.word(vectors), engine.memory.word(vectors + 4)
    assert stack is not None and reset is not None and plan.begin is not None and plan.exit is not None
    engine.set_register("sp", stack)
    start = time.perf_counter()
    engine.set_exits({plan.begin})
    assert engine.run(reset & ~1) == 0 and engine.pc == plan.begin
    for address, data in plan.windows[0].writes:
        engine.memory.write(address, data)
    engine.set_exits({plan.exit})
    assert engine.run(engine.pc) == 0 and engine.pc == plan.exit
    return time.perf_counter() - start
