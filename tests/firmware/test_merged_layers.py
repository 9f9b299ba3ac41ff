"""Layers that others compute too: borders in windows, limits in the layer before. Outputs stay LiteRT's, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.model.codegen.generate import emit_layers
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.simplify.simplified import simplified
from model_builder import ModelBuilder

ZERO_POINTS = (-128, -11, 0, 127)


def padded(builder: ModelBuilder, x: int, most: tuple[int, int], value: int | None = None) -> int:
    """A border of up to `most` rows and columns on each side, at least one in all."""
    pairs = [tuple(int(n) for n in builder.rng.integers(0, many + 1, 2)) for many in most]
    if not any(map(any, pairs)):
        pairs[0] = (1, 0)
    return builder.pad(x, [(0, 0), *pairs, (0, 0)], value)


def random_window(builder: ModelBuilder, kind: str) -> None:
    """A border, then a convolution or a maximum over it, with strides and dilations that leave part of it out."""
    rng = builder.rng
    kernel = (int(rng.integers(2, 5)), int(rng.integers(2, 5)))
    size = tuple(int(n) for n in rng.integers(6, 11, 2))
    zero_point = int(rng.choice(ZERO_POINTS))
    x = builder.input((1, *size, int(rng.integers(1, 7))), scale=0.05, zero_point=zero_point)
    # no wider than windows are, so that none lies in the border alone
    most = (kernel[0] - 1, kernel[1] - 1)
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 3)))
    if kind == "MAX":
        builder.output(
            builder.pool(padded(builder, x, most, -128), "MAX", kernel=kernel, stride=stride, activation="RELU")
        )
        return
    options = {
        "kernel": kernel,
        "stride": stride,
        "padding": str(rng.choice(["VALID", "VALID", "SAME"])),
        "activation": "RELU6",
    }
    x = padded(builder, x, most if options["padding"] == "VALID" else (1, 1), None if rng.integers(2) else zero_point)
    if kind == "CONV":
        builder.output(builder.conv_2d(x, channels=int(rng.integers(1, 9)), **options))  # type: ignore[arg-type]
    else:
        builder.output(builder.depthwise_conv_2d(x, multiplier=1 + int(rng.integers(4) == 0), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m0"])
def test_borders_of_any_width_are_part_of_the_windows(target: str, tmp_path: Path) -> None:
    builder = ModelBuilder(70 + len(target))
    for kind in ("CONV", "DEPTHWISE", "MAX"):
        for _ in range(14):
            random_window(builder, kind)
    graph = check_against_reference(builder, tmp_path, target=target, samples=3, share=True)
    left = [layer for layer in graph.layers if layer.operator in ("PAD", "PADV2")]
    assert len(graph.layers) - len(left) == 42
    assert len(left) <= 6, "windows that reach beyond the image's other end"
    assert sum(len(layer.merged) for layer in graph.layers) == 42 - len(left)
    assert not graph.removed


def test_borders_that_windows_do_not_read_as_such_are_written(tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    border = [(0, 0), (1, 1), (1, 1), (0, 0)]
    x = builder.input((1, 5, 5, 3), zero_point=-20)
    builder.output(builder.conv_2d(builder.pad(x, border, 7), channels=2, padding="VALID"))  # not the zero point
    builder.output(builder.pool(builder.pad(x, border), "AVERAGE", kernel=(3, 3), stride=(1, 1)))  # counted
    builder.output(
        builder.pool(builder.pad(x, border, -127), "MAX", kernel=(3, 3), stride=(1, 1))
    )  # inputs can be less
    builder.output(builder.conv_2d(builder.pad(x, [(0, 0), (0, 0), (0, 0), (1, 0)]), channels=2))  # a channel
    builder.output(
        builder.conv_2d(builder.pad(x, [(0, 0), (4, 0), (0, 0), (0, 0)]), channels=2, padding="VALID")
    )  # wider than a window
    shared = builder.pad(x, border)
    builder.output(builder.conv_2d(shared, channels=2, padding="VALID"))
    builder.output(builder.unary("RELU", shared))  # read by another too
    graph = check_against_reference(builder, tmp_path, samples=3)
    assert not any(layer.merged for layer in graph.layers)
    assert sum(layer.operator in ("PAD", "PADV2") for layer in graph.layers) == 6


def test_a_border_is_no_longer_in_memory(tmp_path: Path) -> None:
    from mcu_harness.model.codegen.generate import plan_memory

    builder = ModelBuilder(5)
    x = builder.input((1, 32, 32, 8), zero_point=3)
    x = builder.pad(x, [(0, 0), (1, 0), (1, 0), (0, 0)])
    builder.output(builder.depthwise_conv_2d(x, stride=(2, 2), padding="VALID"))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    before, after = (plan_memory(each, "cortex-m4").arena_bytes for each in (graph, simplified(graph)))
    assert before > 2 * 32 * 32 * 8
    assert after < 1.3 * 32 * 32 * 8


def test_activations_that_only_limit_are_part_of_what_they_limit(tmp_path: Path) -> None:
    builder = ModelBuilder(9)
    x = builder.input((1, 6, 6, 4), scale=0.05, zero_point=-3)

    def limited(made: int, *operators: str) -> int:
        for operator in operators:
            tensor = builder.tensors[made]
            made = builder.unary(operator, made, scale=tensor.scales[0], zero_point=tensor.zero_points[0])
        return made

    builder.output(limited(builder.conv_2d(x, channels=5), "RELU"))
    builder.output(limited(builder.depthwise_conv_2d(x, activation="RELU"), "RELU6"))
    builder.output(limited(builder.binary("ADD", x, builder.depthwise_conv_2d(x)), "RELU_N1_TO_1"))
    builder.output(limited(builder.pool(x, "MAX"), "RELU", "RELU6"))
    builder.output(limited(builder.fully_connected(builder.reshape(x, (1, -1)), units=5), "RELU_0_TO_1"))
    graph = check_against_reference(builder, tmp_path, samples=4)
    assert sum(len(layer.merged) for layer in graph.layers) == 6
    assert not any(layer.operator.startswith("RELU") for layer in graph.layers)


def test_activations_that_do_more_or_limit_what_others_read_stay(tmp_path: Path) -> None:
    builder = ModelBuilder(10)
    x = builder.input((1, 6, 6, 4), scale=0.05, zero_point=-3)
    scaled = builder.conv_2d(x, channels=3)
    builder.output(builder.unary("RELU", scaled, scale=0.3))
    shared = builder.conv_2d(x, channels=3)
    tensor = builder.tensors[shared]
    builder.output(builder.unary("RELU", shared, scale=tensor.scales[0], zero_point=tensor.zero_points[0]))
    builder.output(builder.pool(shared))
    graph = check_against_reference(builder, tmp_path, samples=3)
    assert sum(layer.operator == "RELU" for layer in graph.layers) == 2


def test_functions_of_one_byte_in_a_row_are_one_table(tmp_path: Path) -> None:
    builder = ModelBuilder(11)
    x = builder.input((1, 16, 16, 1), scale=0.05, zero_point=-3)
    y = builder.unary("HARD_SWISH", builder.unary("LEAKY_RELU", x, alpha=-0.4))
    builder.output(builder.unary("QUANTIZE", builder.tanh(y), scale=0.02))
    shared = builder.logistic(x)
    builder.output(builder.unary("RELU", shared))
    builder.output(builder.unary("RELU6", shared, scale=0.1))
    every = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 16, 16, 1)
    graph = check_against_reference(builder, tmp_path, inputs=[every])
    assert [(layer.operator, len(layer.merged)) for layer in graph.layers] == [
        ("QUANTIZE", 3), ("LOGISTIC", 0), ("RELU", 0), ("RELU6", 0),
    ]  # fmt: skip


def test_moves_that_leave_everything_where_it_is_are_views(tmp_path: Path) -> None:
    builder = ModelBuilder(12)
    x = builder.input((1, 1, 6, 5))
    idle = [
        builder.transpose(x, (0, 2, 3, 1)),
        builder.pad(x, [(0, 0)] * 4),
        builder.concatenation([x], 2),
        builder.strided_slice(x, (0, 0, 0, 0), (1, 1, 6, 5), (1, 1, 1, 1)),
    ]
    moved = [builder.transpose(x, (0, 1, 3, 2)), builder.strided_slice(x, (0, 0, 5, 0), (1, 1, -7, 5), (1, 1, -1, 1))]
    for y in (*idle, *moved):
        builder.output(builder.unary("LEAKY_RELU", y, alpha=0.2))
    graph = check_against_reference(builder, tmp_path, samples=2)
    operators = [layer.operator for layer in graph.layers if layer.operator != "LEAKY_RELU"]
    assert operators == ["RESHAPE"] * 4 + ["TRANSPOSE", "STRIDED_SLICE"]


def test_operators_with_one_constant_are_tables_and_join_with_others(tmp_path: Path) -> None:
    builder = ModelBuilder(13)
    x = builder.input((1, 16, 16, 1), scale=0.05, zero_point=-3)

    def fixed(value: int, shape: tuple[int, ...] = (1,)) -> int:
        return builder.constant(np.full(shape, value, np.int8), 0.04, 5)

    shifted = builder.binary("ADD", x, fixed(80), activation="RELU6", scale=0.03, zero_point=-128)
    sixth = builder.binary("MUL", shifted, fixed(9), scale=0.004, zero_point=-128)
    builder.output(builder.binary("MUL", x, sixth))  # a hard swish, spelt out
    builder.output(builder.binary("SUB", fixed(-60, (1, 16, 16, 1)), x, scale=0.06))
    builder.output(builder.binary("SUB", x, fixed(-60), scale=1e-3))  # far beyond a byte
    for operator in ("MAXIMUM", "MINIMUM"):
        out = builder.tensor((1, 16, 16, 1), 0.05, -3)
        builder.output(builder.operator(operator, [x, builder.constant(np.array([7], np.int8), 0.05, -3)], out))
    builder.output(builder.binary("ADD", x, builder.constant(np.arange(16, dtype=np.int8).reshape(1, 1, 16, 1), 0.1)))
    every = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 16, 16, 1)
    graph = check_against_reference(builder, tmp_path, inputs=[every], share=True)
    kernels = [code.kernel for code in emit_layers(graph, "cortex-m4")]
    assert [layer.operator for layer in graph.layers] == ["MUL", "MUL", "SUB", "SUB", "MAXIMUM", "MINIMUM", "ADD"]
    assert kernels == ["portable/lookup", "portable/mul_s8", *["portable/lookup"] * 4, "portable/add_s8"]
