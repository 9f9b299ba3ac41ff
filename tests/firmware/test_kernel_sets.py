"""Every kernel set on this machine against LiteRT, bit for bit, over what layers may be: shapes, numbers at their extremes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from extreme_layers import ACTIVATIONS, ZERO_POINTS, accumulated, random_filters, window
from host_firmware import check_against_reference
from mcu_harness.hardware.core import CORES
from mcu_harness.model.codegen.generate import emit_layers
from mcu_harness.model.codegen.kernel_sets import CHOICES, kernel_sets
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder

# A core for each set; tests elsewhere use the first.
TARGETS = {"dsp": "cortex-m4", "pairs": "cortex-m0"}

each_set = pytest.mark.parametrize("kernel_set", TARGETS)


def check(builder: ModelBuilder, folder: Path, kernel_set: str, most_refused: float, *, share: bool = False) -> None:
    """Outputs are LiteRT's, and all but a part of the layers were computed by the set that is tested."""
    check_against_reference(builder, folder, samples=3, target=TARGETS[kernel_set], share=share)
    graph = import_tflite(folder / "model.tflite")
    codes = [code for code in emit_layers(graph, TARGETS[kernel_set]) if code.kernel]
    refused = [code.refused for code in codes if not code.kernel.startswith(f"{kernel_set}/")]
    assert len(refused) <= most_refused * len(codes), refused


@each_set
@pytest.mark.parametrize("seed", range(2))
def test_convolutions_of_any_shape_and_numbers(kernel_set: str, seed: int, tmp_path: Path) -> None:
    builder = ModelBuilder(seed)
    rng = builder.rng
    for _ in range(40):
        size, channels, outputs = (
            rng.integers(5, 9, 2),
            int(rng.choice([1, 2, 3, 4, 5, 8, 12])),
            int(rng.integers(1, 10)),
        )
        image = builder.input(
            (int(rng.integers(1, 3)), *map(int, size), channels), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS))
        )
        options, kernel, out = window(rng, (int(size[0]), int(size[1])))
        filters = random_filters(rng, (outputs, *kernel, channels))
        accumulated(builder, "CONV_2D", image, filters, (builder.shape(image)[0], *out, outputs), **options)
    check(builder, tmp_path, kernel_set, 0.1)


@each_set
@pytest.mark.parametrize("seed", range(2))
def test_depthwise_convolutions_of_any_shape_and_numbers(kernel_set: str, seed: int, tmp_path: Path) -> None:
    builder = ModelBuilder(10 + seed)
    rng = builder.rng
    for _ in range(40):
        size, channels = rng.integers(5, 12, 2), int(rng.integers(2, 11))
        multiplier = int(rng.choice([1, 1, 2, 3]))
        image = builder.input(
            (int(rng.integers(1, 3)), *map(int, size), channels), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS))
        )
        options, kernel, out = window(rng, (int(size[0]), int(size[1])))
        filters = random_filters(rng, (1, *kernel, channels * multiplier))
        shape = (builder.shape(image)[0], *out, channels * multiplier)
        accumulated(builder, "DEPTHWISE_CONV_2D", image, filters, shape, depth_multiplier=multiplier, **options)
    check(builder, tmp_path, kernel_set, 0.35)  # strides of 3 along both axes are refused


@each_set
@pytest.mark.parametrize("seed", range(2))
def test_dense_layers_of_any_shape_and_numbers(kernel_set: str, seed: int, tmp_path: Path) -> None:
    builder = ModelBuilder(20 + seed)
    rng = builder.rng
    for _ in range(40):
        rows, depth, units = int(rng.integers(1, 4)), int(rng.integers(1, 70)), int(rng.integers(1, 12))
        image = builder.input((rows, depth), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS)))
        activation = str(rng.choice(ACTIVATIONS))
        accumulated(
            builder,
            "FULLY_CONNECTED",
            image,
            random_filters(rng, (units, depth)),
            (rows, units),
            fused_activation=activation,
        )
    check(builder, tmp_path, kernel_set, 0.1)


@each_set
@pytest.mark.parametrize("seed", range(2))
def test_chains_in_one_arena_keep_their_values(kernel_set: str, seed: int, tmp_path: Path) -> None:
    """In place and overlapping, as on a board: depthwise layers of one shape, strided ones, and convolutions between them."""
    builder = ModelBuilder(30 + seed)
    rng = builder.rng
    for _ in range(4):
        x = builder.input((1, int(rng.integers(14, 20)), int(rng.integers(9, 16)), int(rng.integers(3, 9))))
        for _ in range(2):
            x = builder.depthwise_conv_2d(x, activation="RELU")
            x = builder.conv_2d(x, channels=int(rng.integers(3, 14)), kernel=(1, 1), activation="RELU")
            x = builder.depthwise_conv_2d(
                x, stride=(2, 2) if rng.integers(2) else (1, 1), padding=str(rng.choice(["SAME", "VALID"]))
            )
        builder.output(x)
    check(builder, tmp_path, kernel_set, 0.0, share=True)


def test_additions_round_as_the_reference_for_every_pair_of_bytes(tmp_path: Path) -> None:
    builder = ModelBuilder(40)
    every = np.arange(-128, 128, dtype=np.int8)
    first, second = (np.ascontiguousarray(x).reshape(1, 1, 256, 256) for x in np.meshgrid(every, every))
    given = []
    for scales, zero_points, operator, activation in (
        ((0.05, 0.07), (-128, -128), "ADD", "RELU"),
        ((0.05, 0.05), (0, 0), "ADD", "NONE"),
        ((0.013, 0.21), (-17, 93), "ADD", "RELU6"),
        ((0.3, 0.011), (127, -128), "SUB", "NONE"),
    ):
        a, b = (builder.input((1, 256, 256), scale=s, zero_point=z) for s, z in zip(scales, zero_points, strict=True))
        builder.output(builder.binary(operator, a, b, activation=activation, scale=0.11))
        given += [first, second]
    check_against_reference(builder, tmp_path, inputs=given)


def test_every_core_has_a_set_that_is_tested() -> None:
    for name, core in CORES.items():
        preferred = kernel_sets("fast", name if core.dsp != "optional" else f"{name}+dsp")[0].name
        assert preferred in TARGETS, name
    assert {kernel_set.name for kernel_set in CHOICES["fast"]} == {*TARGETS, "fitted", "portable"}
