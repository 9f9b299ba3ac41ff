"""Random graphs over all operators on a core with the DSP extension and on the smallest one, against LiteRT bit for bit.

A few models of ten graphs each by default, from MCU_HARNESS_GRAPH_SEED on; MCU_HARNESS_GRAPH_MODELS asks for more (`tox -e graphs`).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.app.inference_plan import run_plan, tensors_read
from mcu_harness.emulator.contract import ExitReason
from mcu_harness.emulator.select import emulator_entry
from mcu_harness.image.build import build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import available_toolchains
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planned import planned_sources
from mcu_harness.model.reference import run_reference
from random_graphs import random_model
from sample_boards import FLASH, SRAM, board, memory

pytest.importorskip("ai_edge_litert")

FIRST = int(os.environ.get("MCU_HARNESS_GRAPH_SEED", "1"))
MODELS = int(os.environ.get("MCU_HARNESS_GRAPH_MODELS", "2"))
SAMPLES = 3
MEMORIES = (memory("flash", "flash", FLASH, 8 << 20), memory("sram", "ram", SRAM, 4 << 20))
TARGETS = (board("cortex-m4", "fpv4-sp-d16", memories=MEMORIES), board("cortex-m0+", memories=MEMORIES))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + MODELS))
def test_random_graphs_give_the_reference_outputs(seed: int, tmp_path: Path) -> None:
    path = random_model(seed).write(tmp_path / "model.tflite")
    graph = import_tflite(path)
    inputs = make_inputs(graph, seed, SAMPLES)
    expected = run_reference(path, graph, inputs).outputs
    for target in TARGETS:
        planned = planned_sources(graph, target.target)
        program = read_program(build(planned.sources, target, available_toolchains()[0]).elf)
        plan = run_plan(program, planned.sources, planned.graph, inputs, planned.sources.outputs, timeout_s=120)
        execution = emulator_entry("unicorn").make().run(program, target, plan)
        assert execution.reason is ExitReason.FINISHED, execution.detail
        got = [tensors_read(planned.graph, planned.sources.outputs, raw) for raw in execution.reads]
        wrong = [
            next(layer.name for layer in graph.layers if index in layer.outputs)
            for k, index in enumerate(graph.outputs)
            if any(not np.array_equal(sample[k], expected[k][number]) for number, sample in enumerate(got))
        ]
        assert not wrong, f"{target.core.name}, seed {seed}: outputs of {wrong[:5]} differ"
