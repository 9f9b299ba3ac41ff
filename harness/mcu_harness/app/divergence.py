"""Where a wrong output begins: the first layer whose tensor differs from the oracle's, and the element.

The model is built once more with a memory plan in which nothing is overwritten, run on the first wrong input, and every
layer's output compared. That may take more RAM than the board has, so this run gets a board with room: it explains,
and none of its figures are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcu_harness.app.inference_plan import run_plan, tensors_read
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.contract import Emulator
from mcu_harness.hardware.board import Board, Memory
from mcu_harness.image.build import build
from mcu_harness.image.cmsis_nn import with_cmsis_nn
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.model_kinds import importer_of
from mcu_harness.model.samples import Samples
from mcu_harness.results.records import OutputCheck
from mcu_harness.scenario.cases import Case

Array = npt.NDArray[np.generic]

_PAGE = 65536  # emulators want memories to end at round addresses


def first_diverging_layer(
    case: Case,
    model: Path,
    graph: Graph,
    samples: Samples,
    emulator: Emulator,
    toolchain: Toolchain,
    check: OutputCheck,
) -> str:
    """`graph` was read from the file `model`: "layer 03 CONV_2D, element 17 of 64: expected 4, got 5", or why that cannot be told."""
    # With states the outputs depend on all inputs before, so that the run begins with the first.
    begin = 0 if graph.states else check.first_input
    sample = [array[begin : check.first_input + 1] for array in samples.inputs]
    memory = plan_memory(graph, case.board.target, case.scenario.kernels, share=False)
    sources = generate(graph, memory, case.board.target, case.scenario.kernels)
    sources = with_cmsis_nn(sources, case.scenario.cmsis_nn)
    board = with_room(case.board, -(-memory.arena_bytes * 2 // _PAGE) * _PAGE + _PAGE)
    ios = [io for layer in sources.layer_outputs for io in layer if io.tensor in memory.tensors]
    try:
        program = read_program(build(sources, board, toolchain).elf)
        execution = emulator.run(program, board, run_plan(program, sources, graph, sample, ios))
        expected = importer_of(model).reference(model, graph, sample, all_tensors=True).tensors
    except HarnessError as error:
        return f"the first diverging layer is not known: {error.message}"
    if not execution.reads:
        return f"the first diverging layer is not known: the run for it ended with {execution.reason}"
    got = dict(zip([io.tensor for io in ios], tensors_read(graph, ios, execution.reads[-1]), strict=True))
    place = compare_layers(graph, got, {index: array[-1] for index, array in expected.items()})
    if place:
        return place
    if case.scenario.outputs.file is not None:
        return f"no layer: all agree with LiteRT, which does not compute what {case.scenario.outputs.file.name} expects"
    return "no layer: all agree when none overwrites another, so the memory plan is at fault"


def compare_layers(graph: Graph, got: dict[int, Array], expected: dict[int, Array]) -> str:
    """The first layer, in execution order, with an output that differs; both by tensor index; "" without one.

    `expected` has all channels of the model, which elements are numbered by; `got` those that are computed.
    """
    for layer in graph.layers:
        for index in layer.outputs:
            if index not in got or index not in expected:  # a state: LiteRT shows only its handle
                continue
            whole, channels = expected[index], graph.tensors[index].channels
            numbers = np.arange(whole.size).reshape(whole.shape)
            places = (numbers if channels is None else numbers[..., list(channels.kept)]).reshape(-1)
            mine, theirs = got[index].reshape(-1), whole.reshape(-1)[places]
            wrong = np.flatnonzero(mine.view(f"V{mine.itemsize}") != theirs.view(f"V{theirs.itemsize}"))
            if wrong.size:
                at = int(wrong[0])
                others = f" ({wrong.size} elements differ)" if wrong.size > 1 else ""
                where = f"layer {layer.name}, element {places[at]} of {whole.size}"
                return f"{where}: expected {theirs[at]}, got {mine[at]}{others}"
    return ""


def with_room(board: Board, data_bytes: int) -> Board:
    """`board` with a data RAM of at least `data_bytes`; memories that would then overlap are left out."""
    data = board.data_memory
    if data.size >= data_bytes:
        return board
    larger = replace(data, size=data_bytes)
    return replace(board, memories=tuple(_making_room(board.memories, larger)))


def _making_room(memories: Sequence[Memory], larger: Memory) -> list[Memory]:
    kept = []
    for memory in memories:
        if memory.name == larger.name:
            kept.append(larger)
        elif memory.end <= larger.origin or larger.end <= memory.origin:
            kept.append(memory)
    return kept
