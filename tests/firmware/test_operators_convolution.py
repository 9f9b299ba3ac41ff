"""Convolutions on this machine against LiteRT, bit for bit: named corners, then random configurations by the hundred."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from model_builder import ModelBuilder

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


def random_window(rng: np.random.Generator) -> dict[str, object]:
    """Sizes of a convolution that fits a 7 x 9 image with either padding."""
    kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    dilation = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    return {
        "kernel": kernel,
        "stride": (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        "dilation": dilation,
        "padding": str(rng.choice(["SAME", "VALID"])),
        "activation": str(rng.choice(ACTIVATIONS)),
        "per_channel": bool(rng.integers(2)),
    }


@pytest.mark.parametrize("seed", range(3))
def test_random_convolutions_give_the_reference_outputs(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    builder = ModelBuilder(seed)
    for _ in range(60):
        shape = (int(rng.integers(1, 3)), int(rng.integers(7, 10)), int(rng.integers(7, 10)), int(rng.integers(1, 10)))
        image = builder.input(shape, zero_point=int(rng.integers(-128, 128)))
        builder.output(builder.conv_2d(image, channels=int(rng.integers(1, 14)), **random_window(rng)))
    check_against_reference(builder, tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_random_depthwise_convolutions_give_the_reference_outputs(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(100 + seed)
    builder = ModelBuilder(seed)
    for _ in range(60):
        shape = (int(rng.integers(1, 3)), int(rng.integers(7, 10)), int(rng.integers(7, 10)), int(rng.integers(1, 14)))
        image = builder.input(shape, zero_point=int(rng.integers(-128, 128)))
        multiplier = int(rng.choice([1, 1, 2, 3, 4, 5]))
        bias = bool(rng.integers(2))
        builder.output(builder.depthwise_conv_2d(image, multiplier=multiplier, bias=bias, **random_window(rng)))
    check_against_reference(builder, tmp_path)


def test_windows_larger_than_the_image_are_padded_on_all_sides(tmp_path: Path) -> None:
    builder = ModelBuilder(5)
    image = builder.input((1, 3, 2, 5), zero_point=-128)
    for kernel, dilation in (((7, 7), (1, 1)), ((5, 4), (2, 3)), ((9, 1), (1, 1)), ((1, 9), (1, 1))):
        builder.output(builder.conv_2d(image, channels=6, kernel=kernel, dilation=dilation))
        builder.output(builder.depthwise_conv_2d(image, kernel=kernel, dilation=dilation))
    check_against_reference(builder, tmp_path)


def test_windows_that_are_unbroken_runs_of_memory_need_no_scratch(tmp_path: Path) -> None:
    """1x1 kernels, whole rows, and one row without padding are read in place."""
    builder = ModelBuilder(6)
    image = builder.input((2, 8, 6, 3))
    for kernel, stride, padding in (
        ((1, 1), (1, 1), "SAME"),
        ((1, 1), (3, 2), "SAME"),
        ((1, 4), (1, 2), "VALID"),
        ((3, 6), (2, 1), "VALID"),
        ((8, 6), (1, 1), "VALID"),
    ):
        builder.output(builder.conv_2d(image, channels=7, kernel=kernel, stride=stride, padding=padding))
    check_against_reference(builder, tmp_path)


def test_strides_longer_than_the_window_skip_pixels(tmp_path: Path) -> None:
    builder = ModelBuilder(7)
    image = builder.input((1, 11, 13, 4))
    for padding in ("SAME", "VALID"):
        builder.output(builder.conv_2d(image, channels=5, kernel=(2, 1), stride=(4, 5), padding=padding))
        builder.output(builder.depthwise_conv_2d(image, kernel=(1, 2), stride=(5, 4), padding=padding))
    check_against_reference(builder, tmp_path)


def test_one_input_channel_with_many_filters(tmp_path: Path) -> None:
    """The first layer of keyword spotting networks, in both ways in which converters write it."""
    builder = ModelBuilder(8)
    image = builder.input((1, 25, 10, 1), zero_point=83)
    builder.output(builder.conv_2d(image, channels=9, kernel=(10, 4), stride=(2, 2)))
    builder.output(builder.depthwise_conv_2d(image, multiplier=9, kernel=(10, 4), stride=(2, 2)))
    check_against_reference(builder, tmp_path)


@pytest.mark.parametrize("factor", [2.0**-20, 2.0**-8, 0.25, 0.49999999, 0.5, 0.75, 1.0, 1.5, 3.0, 40.0])
def test_every_size_of_multiplier_rounds_like_the_reference(factor: float, tmp_path: Path) -> None:
    """From results that are all zero to multipliers above one, which shift sums to the left."""
    builder = ModelBuilder(9)
    image = builder.input((1, 4, 4, 2), scale=0.5, zero_point=3)
    filters = builder.constant(builder.rng.integers(-127, 128, (5, 1, 1, 2)).astype(np.int8), 1.0)
    bias = builder.constant(builder.rng.integers(-300, 300, 5).astype(np.int32), 0.5)
    result = builder.tensor((1, 4, 4, 5), 0.5 / factor, -4)
    builder.output(builder.operator("CONV_2D", [image, filters, bias], result, padding="VALID"))
    check_against_reference(builder, tmp_path, samples=16)


def test_ties_between_two_outputs_round_like_the_reference(tmp_path: Path) -> None:
    """Scales that are powers of two put many sums exactly between two outputs, on both sides of zero."""
    builder = ModelBuilder(10)
    image = builder.input((1, 16, 16, 1), scale=1.0, zero_point=0)
    filters = builder.constant(np.arange(-4, 5, dtype=np.int8).reshape(9, 1, 1, 1), 1.0)
    bias = builder.constant(np.arange(-4, 5, dtype=np.int32), 1.0)
    for exponent in (1, 2, 3, 5):
        result = builder.tensor((1, 16, 16, 9), 2.0**exponent, 0)
        builder.output(builder.operator("CONV_2D", [image, filters, bias], result, padding="VALID"))
    check_against_reference(builder, tmp_path, inputs=[np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 16, 16, 1)])


@pytest.mark.parametrize("seed", range(4))
def test_chains_whose_outputs_overlap_their_inputs_keep_their_values(seed: int, tmp_path: Path) -> None:
    """Planned as for a board, where a window's output lies in the bytes of its dying input."""
    rng = np.random.default_rng(200 + seed)
    builder = ModelBuilder(seed)
    for _ in range(6):
        shape = (int(rng.integers(1, 3)), 17, 15, int(rng.integers(1, 9)))
        x = builder.input(shape, zero_point=int(rng.integers(-128, 128)))
        for _ in range(4):
            window = {
                "kernel": (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
                "stride": (int(rng.integers(1, 3)), int(rng.integers(1, 3))),
                "padding": str(rng.choice(["SAME", "VALID"])),
            }
            kind = int(rng.integers(4))
            if min(builder.shape(x)[1:3]) < 3:
                break
            if kind == 0:
                x = builder.conv_2d(x, channels=int(rng.integers(1, 14)), **window)
            elif kind == 1:
                x = builder.depthwise_conv_2d(x, multiplier=int(rng.integers(1, 3)), **window)
            else:
                x = builder.pool(x, "AVERAGE" if kind == 2 else "MAX", **window)
        builder.output(x)
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("operator", ["CONV_2D", "DEPTHWISE_CONV_2D"])
def test_biases_of_nearly_dead_channels_may_fill_all_32_bits(operator: str, tmp_path: Path) -> None:
    """Converters give channels whose filter is nearly zero tiny scales and biases up to the end of int32."""
    builder = ModelBuilder(1)
    image = builder.input((1, 4, 4, 4), scale=0.02, zero_point=-3)
    scales = [0.01, 1e-9, 1e-10, 2e-11]
    biases = np.array([300, 2**30, -(2**31 - 2**13), 2**31 - 2**13], np.int32)
    wide = (1, 1, 1, 4) if operator == "DEPTHWISE_CONV_2D" else (4, 1, 1, 4)
    filters = builder.constant(np.full(wide, 3, np.int8), scales, 0, axis=wide.index(4))
    bias = builder.constant(biases, [0.02 * scale for scale in scales], 0)
    out = builder.tensor((1, 4, 4, 4), 0.01, 5)
    builder.output(builder.operator(operator, [image, filters, bias], out, padding="VALID"))
    check_against_reference(builder, tmp_path)


def test_a_sum_that_leaves_32_bits_when_it_is_rounded_is_refused(tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    image = builder.input((1, 2, 2, 1), scale=1.0)
    filters = builder.constant(np.ones((1, 1, 1, 1), np.int8), 1.0, 0)
    bias = builder.constant(np.array([2**31 - 200], np.int32), 1.0, 0)
    out = builder.tensor((1, 2, 2, 1), 2.0**31 * 0.51)  # a multiplier near 1, and half of the last bit on top
    builder.output(builder.operator("CONV_2D", [image, filters, bias], out))
    with pytest.raises(ModelError, match="output channel 0 can sum up to"):
        check_against_reference(builder, tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_random_transposed_convolutions_give_the_reference_outputs(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(200 + seed)
    builder = ModelBuilder(seed)
    for _ in range(30):
        shape = tuple(int(size) for size in (rng.integers(1, 3), *rng.integers(1, 6, 3)))
        kernel, stride = (tuple(int(k) for k in rng.integers(1, most, 2)) for most in (5, 4))
        padding = str(rng.choice(["SAME", "VALID"]))
        size = tuple(
            (n - 1) * s + k if padding == "VALID" else n * s - int(rng.integers(s))
            for n, k, s in zip(shape[1:3], kernel, stride, strict=True)
        )
        image = builder.input(shape, zero_point=int(rng.integers(-128, 128)))
        builder.output(
            builder.transpose_conv(
                image,
                channels=int(rng.integers(1, 6)),
                size=(size[0], size[1]),
                kernel=(kernel[0], kernel[1]),
                stride=(stride[0], stride[1]),
                padding=padding,
                activation=str(rng.choice(["NONE", "RELU", "RELU6"])),
                per_channel=bool(rng.integers(2)),
                bias=bool(rng.integers(2)),
            )
        )
    check_against_reference(builder, tmp_path, share=True)
