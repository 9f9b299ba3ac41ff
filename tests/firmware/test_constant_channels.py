"""Networks in which channels are dead, saturated or unread: what is left of them computes LiteRT's outputs bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from model_builder import ModelBuilder

ACTIVATIONS = ("NONE", "RELU", "RELU6")
ZERO_POINTS = (-128, -5, 0, 93)


def random_network(builder: ModelBuilder) -> None:
    """An image through some layers that keep channels apart or mix them, with branches that come together again, to class scores."""
    rng = builder.rng
    height, width = (int(size) for size in rng.integers(7, 11, 2))
    x = builder.input((1, height, width, int(rng.integers(1, 7))), scale=0.05, zero_point=int(rng.choice(ZERO_POINTS)))
    x = _convolution(builder, x)
    for _ in range(int(rng.integers(3, 7))):
        step = STEPS[int(rng.integers(len(STEPS)))]
        x = step(builder, x)
    if rng.integers(2):
        x = builder.mean(x, (1, 2), scale=None if rng.integers(2) else 0.03)
    else:
        x = builder.reshape(x, (1, -1))
    scores = builder.fully_connected(x, units=6, per_channel=bool(rng.integers(2)), activation="RELU")
    builder.output(builder.softmax(builder.fully_connected(scores, units=3)))


def _convolution(builder: ModelBuilder, x: int) -> int:
    rng = builder.rng
    kernel = ((1, 1), (1, 1), (3, 3), (2, 3))[int(rng.integers(4))]
    padding = str(rng.choice(["SAME", "VALID"])) if min(builder.shape(x)[1:3]) >= 3 else "SAME"
    return builder.conv_2d(
        x, channels=int(rng.integers(2, 12)), kernel=kernel, padding=padding, activation=str(rng.choice(ACTIVATIONS)),
        stride=(1, 1) if rng.integers(3) else (2, 1), per_channel=bool(rng.integers(2)),
    )  # fmt: skip


def _depthwise(builder: ModelBuilder, x: int) -> int:
    rng = builder.rng
    multiplier = 2 if rng.integers(4) == 0 else 1
    return builder.depthwise_conv_2d(
        x, multiplier=multiplier, activation=str(rng.choice(ACTIVATIONS)), bias=bool(rng.integers(3))
    )


def _branches(builder: ModelBuilder, x: int) -> int:
    rng = builder.rng
    channels = builder.shape(x)[3]
    first = builder.conv_2d(x, channels=channels, kernel=(1, 1), activation="RELU")
    second = builder.depthwise_conv_2d(x) if rng.integers(2) else x
    return builder.binary(
        str(rng.choice(["ADD", "SUB", "MUL"])), first, second, activation=str(rng.choice(ACTIVATIONS))
    )


def _joined(builder: ModelBuilder, x: int) -> int:
    return builder.concatenation([x, builder.pool(x, "MAX", kernel=(3, 3), stride=(1, 1), padding="SAME")], axis=3)


def _scaled(builder: ModelBuilder, x: int) -> int:
    """By a constant for each channel."""
    factors = builder.rng.integers(-127, 128, (1, 1, 1, builder.shape(x)[3])).astype(np.int8)
    return builder.binary("MUL", x, builder.constant(factors, 0.01, int(builder.rng.integers(-5, 6))))


def _moved(builder: ModelBuilder, x: int) -> int:
    rng, (_, height, width, _) = builder.rng, builder.shape(x)
    match int(rng.integers(4)):
        case 0:
            return builder.pad(
                x, [(0, 0), (1, 0), (0, 2), (0, 0)], None if rng.integers(2) else int(rng.integers(-128, 128))
            )
        case 1 if min(height, width) >= 4:
            return builder.pool(x, str(rng.choice(["AVERAGE", "MAX"])), activation=str(rng.choice(ACTIVATIONS)))
        case 2:
            return builder.resize_nearest_neighbor(x, (height, width + 1))
        case _:
            return builder.unary("LEAKY_RELU", x, alpha=0.3) if rng.integers(2) else builder.unary("HARD_SWISH", x)


STEPS = (_convolution, _convolution, _depthwise, _depthwise, _branches, _joined, _scaled, _moved, _moved)


def with_dead_channels(builder: ModelBuilder) -> None:
    """Outputs of products without weights, or with a bias that drowns them, and input channels that nothing has weights for."""
    rng = builder.rng
    for operator in builder.operators:
        if operator.code not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        filters = builder.tensors[operator.inputs[1]]
        assert filters.data is not None
        values = np.moveaxis(filters.data, 3 if operator.code == "DEPTHWISE_CONV_2D" else 0, 0).copy()
        dead, drowned = rng.random(len(values)) < 0.35, rng.random(len(values)) < 0.15
        values[dead] = 0
        if operator.code != "DEPTHWISE_CONV_2D":
            values[..., rng.random(values.shape[-1]) < 0.2] = 0
        filters.data = np.moveaxis(values, 0, 3 if operator.code == "DEPTHWISE_CONV_2D" else 0).copy()
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            bias = builder.tensors[operator.inputs[2]]
            assert bias.data is not None
            added = bias.data.astype(np.int64)
            added[dead] *= rng.integers(-1, 2, int(dead.sum()))
            added[drowned] = rng.choice([-1, 1], int(drowned.sum())) << 24
            bias.data = added.astype(np.int32)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_of_a_network_gives_the_same_outputs(seed: int, tmp_path: Path) -> None:
    builder = ModelBuilder(100 + seed)
    for _ in range(8):
        random_network(builder)
    with_dead_channels(builder)
    computed = check_against_reference(
        builder, tmp_path, samples=3, target=("cortex-m4", "cortex-m0")[seed % 2], share=seed > 1
    )
    assert computed.spared_macs > 0
    assert any(tensor.channels is not None for tensor in computed.tensors)


def test_a_branch_that_is_dead_is_a_constant_of_the_sum_that_it_goes_into(tmp_path: Path) -> None:
    builder = ModelBuilder(7)
    x = builder.conv_2d(builder.input((1, 6, 6, 3)), channels=4)
    branch = builder.conv_2d(builder.depthwise_conv_2d(x), channels=4, kernel=(1, 1))
    filters = builder.tensors[builder.operators[-1].inputs[1]]
    assert filters.data is not None
    filters.data = np.zeros_like(filters.data)
    for operator in ("ADD", "SUB", "MUL"):
        builder.output(builder.binary(operator, x, branch))
        builder.output(builder.binary(operator, branch, x))
    computed = check_against_reference(builder, tmp_path, samples=3, share=True)
    assert [layer.operator for layer in computed.layers] == ["CONV_2D", "ADD", "ADD", "SUB", "SUB", "MUL", "MUL"]
    assert [layer.operator for layer in computed.removed] == ["DEPTHWISE_CONV_2D", "CONV_2D"]
    assert computed.spared_macs == 36 * 4 * 9 + 36 * 4 * 4
