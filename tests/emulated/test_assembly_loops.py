"""Loops written in assembly give what the C beside them gives, and LiteRT, on every core that has one, with compilers in turn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from extreme_layers import ZERO_POINTS, accumulated, random_filters, window
from mcu_harness.app.inference_plan import run_plan, tensors_read
from mcu_harness.emulator.contract import ExitReason
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain, available_toolchains
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import run_reference
from model_builder import ModelBuilder
from sweeps import pairs

PLAIN_C = ("-DMCU_PLAIN_C",)
DSP_LOOPS = tuple(
    f"mcu_{loop}_{ending}" for loop in ("four_positions", "four_units", "window_lines") for ending in ("plain", "signs")
)
# A board for each core whose loops differ, and the loops that its layers call.
LOOPS = {
    "nucleo_g071rb": ("mcu_multiply_four_units", "mcu_multiply_pairs"),
    "nucleo_l152re": ("mcu_multiply_four_units", "mcu_multiply_pairs"),
    "stm32f4_discovery": DSP_LOOPS,
    "stm32f746g_disco": DSP_LOOPS,
    "nucleo_l552ze_q": DSP_LOOPS,
}


def layers_of_sums() -> ModelBuilder:
    builder = ModelBuilder(seed=50)
    rng = builder.rng
    for _ in range(16):
        height, width, channels = int(rng.integers(5, 9)), int(rng.integers(5, 9)), int(rng.choice([1, 3, 4, 8, 12]))
        image = builder.input((1, height, width, channels), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS)))
        options, kernel, out = window(rng, (height, width))
        outputs = int(rng.integers(1, 10))
        filters = random_filters(rng, (outputs, *kernel, channels))
        accumulated(builder, "CONV_2D", image, filters, (1, *out, outputs), **options)
    for depth, units in ((1, 3), (3, 4), (4, 1), (39, 6), (64, 9)):
        row = builder.input((1, depth), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS)))
        accumulated(builder, "FULLY_CONNECTED", row, random_filters(rng, (units, depth)), (1, units))
    for height, width, channels in (
        (3, 3, 1),
        (4, 9, 6),
        (9, 4, 5),
        (7, 6, 8),
        (5, 12, 3),
    ):  # some with what is left of four
        for activation in ("NONE", "NONE", "RELU"):
            image = builder.input((1, height, width, channels), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS)))
            filters = random_filters(rng, (1, 3, 3, channels))
            options = {"stride_h": 1, "stride_w": 1, "padding": "SAME", "depth_multiplier": 1}
            shape = (1, height, width, channels)
            accumulated(builder, "DEPTHWISE_CONV_2D", image, filters, shape, fused_activation=activation, **options)
    # Halves of both signs, which round away from zero.
    row = builder.input((1, 9), scale=0.5, zero_point=0)
    handle = builder.constant(random_filters(rng, (5, 9)), (1.0,), axis=0)
    bias = builder.constant(np.arange(5, dtype=np.int32), (0.5,), axis=0)
    builder.output(builder.operator("FULLY_CONNECTED", [row, handle, bias], builder.tensor((1, 5), 1.0, 3)))
    return builder


@pytest.mark.parametrize(
    ("name", "toolchain"),
    pairs(tuple(LOOPS), available_toolchains()),
    ids=lambda value: getattr(value, "name", value),
)
def test_assembly_and_its_c_give_the_same(name: str, toolchain: Toolchain, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(layers_of_sums().build())
    graph = import_tflite(path)
    inputs = make_inputs(graph, 1, 2)
    expected = run_reference(path, graph, inputs).outputs
    board = find_board(name)
    sources = generate(graph, plan_memory(graph, board.target), board.target)
    for compiler in (toolchain, replace(toolchain, options=PLAIN_C)):
        program = read_program(build(sources, board, compiler).elf)
        called = [symbol.name for symbol in program.symbols if symbol.name in LOOPS[name]]
        assert sorted(called) == ([] if compiler.options else sorted(LOOPS[name])), compiler.label
        asked = run_plan(program, sources, graph, inputs, sources.outputs, timeout_s=60)
        execution = emulator_entry("unicorn").make().run(program, board, asked)
        assert execution.reason is ExitReason.FINISHED, execution.detail
        for sample, raw in enumerate(execution.reads):
            for k, got in enumerate(tensors_read(graph, sources.outputs, raw)):
                assert np.array_equal(got, expected[k][sample]), (compiler.label, sample, k)
