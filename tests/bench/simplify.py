"""What is left of a pruned network, and of a strided one whose borders are layers: instructions and flash on one board, the arena, time to find out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcu_harness.app.inference_plan import run_plan
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import build
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import find_toolchain
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.simplify.simplified import simplified
from model_builder import ModelBuilder

BOARD = "nucleo_l4r5zi"


@dataclass(frozen=True)
class Cost:
    instructions: int
    flash_bytes: int


def pruned(path: Path) -> tuple[Graph, Graph]:
    """A small MobileNet, half of whose channels have filters of zeros, as it is and simplified."""
    builder = ModelBuilder(3)
    x = builder.conv_2d(builder.input((1, 24, 24, 3)), channels=16, stride=(2, 2), activation="RELU")
    for channels in (32, 64, 64, 128):
        x = builder.depthwise_conv_2d(x, activation="RELU")
        x = builder.conv_2d(x, channels=channels, kernel=(1, 1), activation="RELU")
    builder.output(builder.fully_connected(builder.mean(x, (1, 2)), units=10))
    for operator in builder.operators:
        if operator.code == "CONV_2D":
            filters = builder.tensors[operator.inputs[1]]
            assert filters.data is not None
            filters.data = np.where(np.arange(len(filters.data)).reshape(-1, 1, 1, 1) % 2, filters.data, 0).astype(
                np.int8
            )
    graph = import_tflite(builder.write(path / "pruned.tflite"))
    return graph, simplified(graph)


def cost(graph: Graph) -> Cost:
    """Of one inference of firmware that computes all of `graph`."""
    board = find_board(BOARD)
    sources = generate(graph, plan_memory(graph, board.target), board.target)
    program = read_program(build(sources, board, find_toolchain("auto")).elf)
    plan = run_plan(program, sources, graph, make_inputs(graph, 1, 1), sources.outputs)
    execution = UnicornEmulator().run(program, board, plan)
    return Cost(sum(execution.window_instructions), read_footprint(program, board).flash_bytes)


def arenas(path: Path) -> tuple[int, int]:
    """Bytes of arena with borders as layers of their own, and as parts of the windows that read them."""
    builder = ModelBuilder(4)
    x = builder.input((1, 64, 64, 8), zero_point=5)
    for channels in (16, 24):
        x = builder.depthwise_conv_2d(builder.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), stride=(2, 2), padding="VALID")
        x = builder.conv_2d(x, channels=channels, kernel=(1, 1))
    builder.output(builder.mean(x, (1, 2)))
    graph = import_tflite(builder.write(path / "padded.tflite"))
    whole, merged = (plan_memory(each, "cortex-m4").arena_bytes for each in (graph, simplified(graph)))
    return whole, merged


def processor_seconds(path: Path) -> float:
    """Of `simplified` for a model of 9 MB."""
    builder = ModelBuilder(5)
    x = builder.conv_2d(builder.input((1, 8, 8, 3)), channels=512)
    builder.output(builder.fully_connected(builder.reshape(x, (1, -1)), units=280))
    graph = import_tflite(builder.write(path / "large.tflite"))
    start = time.process_time()
    simplified(graph)
    return time.process_time() - start
