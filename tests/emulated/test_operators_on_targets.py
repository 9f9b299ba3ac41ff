"""Every operator on every core and with every compiler, in the emulator, against LiteRT bit for bit.

The host tests try hundreds of configurations; these few show that nothing depends on what a core lacks (a long
multiply, division, unaligned access) or on how a compiler reads the C. Kernels are compiled into the user's cache: one compilation serves all of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.app.inference_plan import run_plan, tensors_read
from mcu_harness.emulator.contract import ExitReason
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain, available_toolchains
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import run_reference
from model_builder import ModelBuilder
from model_samples import SAMPLES
from sweeps import pairs, rotated

# A board a core.
BOARDS = ("stm32f072b_disco", "nucleo_g071rb", "nucleo_l152re", "stm32f4_discovery", "nucleo_h753zi", "nucleo_l552ze_q")


@dataclass(frozen=True)
class Case:
    graph: Graph
    inputs: tuple[np.ndarray, ...]
    expected: tuple[np.ndarray, ...]


def main_operators() -> ModelBuilder:
    """A model of separate chains, one for each way through a kernel that computes sums."""
    builder = ModelBuilder(seed=11)
    image = builder.input((1, 5, 6, 6), zero_point=-20)
    wide = builder.conv_2d(image, channels=7)
    builder.output(builder.conv_2d(wide, channels=6, kernel=(1, 1), activation="RELU6", per_channel=False))
    builder.output(builder.conv_2d(image, channels=3, kernel=(2, 3), dilation=(2, 2), stride=(2, 1), padding="VALID"))
    builder.output(builder.depthwise_conv_2d(wide, stride=(1, 2), activation="RELU"))
    builder.output(builder.depthwise_conv_2d(image, multiplier=2, kernel=(3, 2), bias=False))
    added = builder.binary("ADD", image, image, activation="RELU")
    builder.output(builder.binary("SUB", added, builder.input((1, 1, 1, 6), scale=0.3)))
    builder.output(builder.binary("MUL", image, added))
    builder.output(builder.pool(image, "AVERAGE", kernel=(3, 3), padding="SAME"))
    builder.output(builder.pool(image, "MAX", kernel=(2, 3), stride=(1, 2), activation="RELU_N1_TO_1"))
    dense = builder.fully_connected(builder.reshape(wide, (1, -1)), units=7)
    builder.output(builder.fully_connected(dense, units=3, per_channel=True))
    builder.output(builder.softmax(dense))
    return builder


def data_and_float_operators() -> ModelBuilder:
    """Float in, float out, and everything that moves bytes or looks them up in between."""
    builder = ModelBuilder(seed=41)
    x = builder.unary("QUANTIZE", builder.input((1, 7, 9, 6), dtype="float32"), scale=0.037, zero_point=-11)
    x = builder.pad(x, [(0, 0), (1, 2), (0, 1), (1, 1)])
    x = builder.unary("HARD_SWISH", builder.unary("LEAKY_RELU", x, alpha=0.3), scale=0.03, zero_point=-90)
    x = builder.strided_slice(x, [0, -1, 0, 0], [1, 0, 10, 8], [1, -2, 1, 1])
    first, second = builder.split(x, 3, 2)
    first = builder.transpose(first, [0, 3, 1, 2])
    second = builder.transpose(builder.pad(second, [(0, 0)] * 4, 5), [0, 3, 1, 2])
    x = builder.concatenation([first, second, first], 1)
    x = builder.resize_nearest_neighbor(x, (9, 7), half_pixel_centers=True)
    x = builder.unary("RELU6", builder.unary("RELU", x, scale=0.05, zero_point=-128), scale=0.024, zero_point=-128)
    builder.output(builder.dequantize(builder.mean(x, [1, 2], scale=0.02, zero_point=-100)))
    builder.output(builder.dequantize(builder.tanh(builder.mean(x, [3], keep_dims=True))))
    builder.output(builder.logistic(builder.unary("QUANTIZE", x, scale=0.08, zero_point=40)))
    return builder


def unsigned_edges() -> ModelBuilder:
    """Unsigned bytes and float32 in, unsigned bytes and float32 out; negative slopes, new axes, six dimensions."""
    builder = ModelBuilder(seed=42)
    x = builder.unary("QUANTIZE", builder.input((1, 5, 7, 3), 0.03, 140, dtype="uint8"), scale=0.03, zero_point=12)
    y = builder.quantize(builder.input((1, 5, 7, 3), dtype="float32"), "uint8", scale=0.04, zero_point=90)
    x = builder.binary("ADD", builder.unary("LEAKY_RELU", x, alpha=-0.4), builder.unary("QUANTIZE", y))
    builder.output(builder.quantize(builder.unary("TANH", x, scale=0.011, zero_point=20), "uint8"))
    sliced = builder.operator(
        "STRIDED_SLICE",
        [x, builder.constant([0, 0, 1]), builder.constant([1, 0, 5]), builder.constant([1, 1, 2])],
        builder.tensor((1, 1, 2, 7, 3), 0.09, 4),
        new_axis_mask=0b010,
    )
    turned = builder.transpose(builder.reshape(sliced, (1, 2, 1, 7, 1, 3)), [5, 3, 0, 1, 4, 2])
    gate = builder.unary("LOGISTIC", turned, scale=1 / 256, zero_point=-3)
    builder.output(builder.dequantize(builder.quantize(gate, "uint8", scale=1 / 200, zero_point=0)))
    return builder


def streaming() -> ModelBuilder:
    """State that one inference leaves for the next: outputs are those of a sequence."""
    builder = ModelBuilder(seed=3)
    x = builder.input((1, 2, 4, 3))
    for first in (np.full((1, 3, 4, 3), -3, np.int8), np.zeros((1, 3, 4, 3), np.int8)):
        variable = builder.variable(first)
        past = builder.operator("READ_VARIABLE", [variable], builder.tensor((1, 3, 4, 3), 0.05, -3))
        window = builder.concatenation([past, x], 1)
        kept = builder.strided_slice(window, [0, 2, 0, 0], [1, 5, 4, 3], [1, 1, 1, 1])
        builder.operator("ASSIGN_VARIABLE", [variable, kept], ())
        builder.output(builder.conv_2d(window, channels=4, kernel=(5, 1), padding="VALID"))
    return builder


def more_operators() -> ModelBuilder:
    """Operators whose kernels compute on their own, each with a shape that exercises it."""
    builder = ModelBuilder(seed=4)
    for operator in (
        "RESIZE_BILINEAR", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU", "REDUCE_MAX", "REDUCE_MIN", "GATHER",
        "MIRROR_PAD", "SPACE_TO_BATCH_ND", "RSQRT", "UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF", "TRANSPOSE_CONV",
    ):  # fmt: skip
        builder.output(*SAMPLES[operator](builder, builder.input((1, 9, 8, 4))))
    return builder


def comparing_operators() -> ModelBuilder:
    """Truths and what is chosen by them, quotients, products of matrices, normalised rows."""
    builder = ModelBuilder(seed=6)
    for operator in (
        "DIV", "BATCH_MATMUL", "LESS", "NOT_EQUAL", "LOGICAL_AND", "LOGICAL_NOT", "SELECT", "SELECT_V2", "CAST",
        "EMBEDDING_LOOKUP", "LOG_SOFTMAX", "L2_NORMALIZATION", "SQRT",
    ):  # fmt: skip
        builder.output(*SAMPLES[operator](builder, builder.input((1, 9, 8, 4))))
    scores = builder.input((3, 20), scale=0.2)
    builder.output(builder.operator("SOFTMAX", [scores], builder.tensor((3, 20), 1 / 65536, -32768, dtype="int16")))
    return builder


def wide_operators() -> ModelBuilder:
    """int16 activations with weights of int8."""
    builder = ModelBuilder(seed=8)
    x = builder.quantize(builder.input((1, 6, 7, 3), dtype="float32"), "int16", scale=1 / 7000, zero_point=0)
    filters = builder.constant(builder.rng.integers(-127, 128, (5, 3, 3, 3)).astype(np.int8), [0.01] * 5)
    bias = builder.constant(builder.rng.integers(-(2**20), 2**20, 5).astype(np.int64), [0.01 / 7000] * 5)
    window = {"padding": "SAME", "dilation_w_factor": 1, "dilation_h_factor": 1}
    out = builder.tensor((1, 6, 7, 5), 0.002, 0, dtype="int16")
    y = builder.operator("CONV_2D", [x, filters, bias], out, version=5, fused_activation="RELU", **window)
    depthwise = builder.constant(builder.rng.integers(-127, 128, (1, 3, 3, 5)).astype(np.int8), [0.01] * 5, axis=3)
    bias = builder.constant(builder.rng.integers(-(2**20), 2**20, 5).astype(np.int64), [0.002 * 0.01] * 5)
    out = builder.tensor((1, 6, 7, 5), 0.004, 0, dtype="int16")
    z = builder.operator("DEPTHWISE_CONV_2D", [y, depthwise, bias], out, version=5, depth_multiplier=1, **window)
    for code, version in (("ADD", 4), ("SUB", 5), ("MUL", 4)):
        out = builder.tensor((1, 6, 7, 5), 0.006, 0, dtype="int16")
        options = {} if code == "MUL" else {"pot_scale_int16": False}
        builder.output(builder.operator(code, [y, z], out, version=version, **options))
    for kind in ("AVERAGE", "MAX"):
        flat = builder.reshape(builder.pool(z, kind), (1, -1))
        builder.operators[-2].version = 3
        units = builder.constant(builder.rng.integers(-127, 128, (4, 45)).astype(np.int8), 0.01)
        dense = builder.tensor((1, 4), 0.003, 0, dtype="int16")
        dense = builder.operator("FULLY_CONNECTED", [flat, units], dense, version=7)
        for code in ("SOFTMAX", "LOGISTIC", "TANH"):
            out = builder.tensor((1, 4), 1 / 32768, 0, dtype="int16")
            builder.output(builder.dequantize(builder.operator(code, [dense], out, version=3)))
    out = builder.tensor((1, 6, 7, 5), 0.004, 0, dtype="int16")
    builder.output(builder.operator("LEAKY_RELU", [z], out, alpha=0.2))
    out = builder.tensor((1, 6, 7, 7), 0.004, 0, dtype="int16")
    builder.output(builder.operator("BATCH_MATMUL", [y, z], out, version=3, adj_x=False, adj_y=True))
    builder.output(
        builder.operator(
            "MEAN", [z, builder.constant([1, 2])], builder.tensor((1, 5), 0.003, 0, dtype="int16"), version=3
        )
    )
    return builder


def nothing_to_compute() -> ModelBuilder:
    """A view of the input: no code refers to the arena."""
    builder = ModelBuilder(seed=1)
    builder.output(builder.reshape(builder.input((1, 2, 8)), (4, 4)))
    return builder


MODELS = (
    main_operators,
    data_and_float_operators,
    unsigned_edges,
    streaming,
    more_operators,
    comparing_operators,
    wide_operators,
    nothing_to_compute,
)


@cache
def case_of(make: Callable[[], ModelBuilder], folder: Path) -> Case:
    path = folder / f"{make.__name__}.tflite"
    path.write_bytes(make().build())
    graph = import_tflite(path)
    inputs = make_inputs(graph, 1, 8)
    return Case(graph, inputs, run_reference(path, graph, inputs).outputs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


# Every model on every board, with one compiler and with the other in turn; with both in a whole sweep.
@pytest.mark.parametrize(
    ("make", "name", "toolchain"),
    [
        (make, name, toolchain)
        for row, make in enumerate(MODELS)
        for name, toolchain in pairs(BOARDS, rotated(available_toolchains(), row))
    ],
    ids=lambda value: getattr(value, "__name__", None) or getattr(value, "name", value),
)
def test_outputs_on_the_target_equal_the_reference(
    make: Callable[[], ModelBuilder], name: str, toolchain: Toolchain, folder: Path
) -> None:
    board, case = find_board(name), case_of(make, folder)
    sources = generate(case.graph, plan_memory(case.graph, board.target), board.target)
    program = read_program(build(sources, board, toolchain).elf)
    asked = run_plan(program, sources, case.graph, case.inputs, sources.outputs, timeout_s=60)
    execution = emulator_entry("unicorn").make().run(program, board, asked)
    assert execution.reason is ExitReason.FINISHED, execution.detail
    for sample, raw in enumerate(execution.reads):
        outputs = tensors_read(case.graph, sources.outputs, raw)
        for io, got, expected in zip(sources.outputs, outputs, case.expected, strict=True):
            layer = next(layer.name for layer in case.graph.layers if io.tensor in layer.outputs)
            assert np.array_equal(got, expected[sample]), f"sample {sample}, {layer}"
