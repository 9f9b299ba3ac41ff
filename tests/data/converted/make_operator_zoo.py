"""Small models through the real converter for the operators and options that the scenarios do not use.

Nothing is trained: weights are seeded noise of a size that keeps activations in range. What matters is that the
converter, not we, chose the operators, their versions, their quantisation and where it requantises.

    zoo_image.tflite    one image in, one vector out; int8
    zoo_ports.tflite    two inputs, two outputs; int8
    zoo_float.tflite    two float32 inputs and outputs, QUANTIZE and DEQUANTIZE at the edges
    keras_conv1d.tflite   a 1-D network as Keras exports it: EXPAND_DIMS around 2-D convolutions
    keras_flatten.tflite  a small CNN as Keras exports it: Flatten as SHAPE, STRIDED_SLICE, PACK, RESHAPE
    keras_uint8.tflite    a small CNN whose inputs and outputs are uint8, as camera pictures are

Run: python tests/data/converted/make_operator_zoo.py   (needs scenarios/models/requirements.txt; seconds)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "scenarios" / "models"))

from conversion import convert, convert_keras, deterministic, write_model  # noqa: E402

SEED = 51
CALIBRATION = 64


class Noise:
    """Seeded float32 constants of any shape, and layers made of them."""

    def __init__(self, tf: Any, seed: int) -> None:
        self.tf = tf
        self.rng = np.random.default_rng(seed)

    def bias(self, channels: int) -> np.ndarray:
        return self.rng.normal(0.0, 0.2, channels).astype(np.float32)

    def filters(self, *shape: int, fan_in: int) -> np.ndarray:
        """Channels differ in size by up to eight, so that per-channel scales matter."""
        gain = np.exp2(self.rng.uniform(-2.0, 1.0, shape[-1]))
        return (self.rng.normal(0.0, 1.2 / np.sqrt(fan_in), shape) * gain).astype(np.float32)

    def convolution(
        self, channels_in: int, channels_out: int, size: int, stride: int = 1, padding: str = "SAME", dilation: int = 1
    ) -> Callable[[Any], Any]:
        weights = self.filters(size, size, channels_in, channels_out, fan_in=size * size * channels_in)
        bias = self.bias(channels_out)
        return lambda x: self.tf.nn.bias_add(
            self.tf.nn.conv2d(x, weights, strides=stride, padding=padding, dilations=dilation), bias
        )

    def depthwise(
        self, channels: int, multiplier: int, size: int, stride: int = 1, padding: str = "SAME", dilation: int = 1
    ) -> Callable[[Any], Any]:
        weights = self.filters(size, size, channels, multiplier, fan_in=size * size)
        bias = self.bias(channels * multiplier)
        strides, dilations = (1, stride, stride, 1), (dilation, dilation)
        return lambda x: self.tf.nn.bias_add(
            self.tf.nn.depthwise_conv2d(x, weights, strides=strides, padding=padding, dilations=dilations), bias
        )

    def dense(self, inputs: int, outputs: int, gain: float = 1.0) -> Callable[[Any], Any]:
        weights, bias = gain * self.filters(inputs, outputs, fan_in=inputs), self.bias(outputs)
        return lambda x: self.tf.matmul(x, weights) + bias


def image_zoo(tf: Any) -> Callable[..., Any]:
    """17x13x3 -> 6: sizes that no stride divides, every kind of padding, dilation, depth multipliers."""
    noise = Noise(tf, SEED)
    stem = noise.convolution(3, 8, 3, stride=2, padding="VALID")
    dilated = noise.convolution(8, 8, 3, dilation=2)
    spread = noise.depthwise(8, 2, 3, stride=2)
    wide = noise.depthwise(8, 1, 3, dilation=2)
    squeeze = noise.convolution(16, 8, 1)
    mixed = noise.convolution(24, 12, 3, stride=2)
    head = noise.dense(12, 6, gain=6.0)  # so that what the mean leaves still decides

    def model(image: Any) -> Any:
        x = tf.pad(image, [[0, 0], [1, 2], [0, 3], [0, 0]])  # PAD, uneven
        x = tf.nn.leaky_relu(stem(x), alpha=0.1)  # 9x7x8
        x = tf.nn.relu6(dilated(x))
        tall = x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)  # HARD_SWISH
        pooled = tf.nn.max_pool2d(tall, 3, 2, "SAME")  # 5x4x8
        averaged = tf.nn.avg_pool2d(wide(x), (2, 3), (2, 2), "SAME")  # 5x4x8, edges average fewer
        narrow = tf.nn.relu(squeeze(spread(x)))  # 5x4x8
        x = tf.concat([pooled, averaged, narrow], axis=3)  # 24 channels, three scales
        x = tf.image.resize(x, (8, 9), "nearest")  # RESIZE_NEAREST_NEIGHBOR, half_pixel_centers, no whole factor
        x = tf.pad(x, [[0, 0], [0, 1], [1, 0], [0, 0]], constant_values=0.5)  # PADV2
        x = tf.nn.max_pool2d(mixed(x), 2, 1, "VALID")
        x = tf.reduce_mean(x, axis=(1, 2))  # MEAN
        return tf.nn.softmax(head(x))

    return model


def ports_zoo(tf: Any) -> Callable[..., Any]:
    """(8x6x4, 6x4) -> (3x8, 3x5x8): two-input arithmetic with and without broadcasting, shape operators."""
    noise = Noise(tf, SEED + 1)
    mix = noise.convolution(4, 8, 3)
    scale = noise.filters(1, 1, 1, 4, fan_in=1)
    embed = noise.dense(4, 8)

    def model(image: Any, side: Any) -> tuple[Any, Any]:
        flipped = tf.transpose(image, (0, 2, 1, 3))  # 1x6x8x4
        gate = tf.sigmoid(tf.expand_dims(side, axis=2))  # 1x6x1x4
        gated = flipped * gate  # MUL, broadcast over the columns
        odd = gated[:, ::2, 1:7, :]  # STRIDED_SLICE: 1x3x6x4
        x = tf.nn.relu(mix(odd))  # 1x3x6x8
        left, right = tf.split(x, 2, axis=3)  # two of 1x3x6x4
        difference = tf.tanh(left - right * scale)  # SUB, MUL by a constant
        tokens = tf.reshape(embed(tf.reshape(difference, (18, 4))), (1, 3, 6, 8))
        total = tf.nn.relu(tokens + x)  # ADD
        first = tf.transpose(total[:, :, ::3, :], (0, 2, 1, 3))  # 1x2x3x8
        first = tf.compat.v1.image.resize_nearest_neighbor(first, (3, 5))  # without half_pixel_centers
        rows = tf.squeeze(tf.reduce_mean(total, axis=2, keepdims=True), axis=2)  # MEAN, SQUEEZE: 1x3x8
        return rows, first

    return model


def float_zoo(tf: Any) -> Callable[..., Any]:
    """(10x10x2, 5) float32 -> (4, 5x5x6) float32: what a model looks like whose edges were left in float."""
    noise = Noise(tf, SEED + 2)
    stem = noise.convolution(2, 6, 5, stride=2)
    blur = noise.depthwise(6, 1, 3)
    fold = noise.dense(150, 5)
    head = noise.dense(10, 4)

    def model(image: Any, side: Any) -> tuple[Any, Any]:
        x = tf.nn.relu(stem(image))  # 1x5x5x6
        x = tf.sigmoid(blur(x)) * x
        summary = tf.tanh(fold(tf.reshape(x, (1, 150))))
        joined = tf.concat([summary, tf.nn.leaky_relu(side, alpha=0.25)], axis=1)
        return tf.nn.softmax(head(joined)), x

    return model


def keras_conv1d(tf: Any) -> Any:
    """32x3 -> 5: a window of three-axis acceleration, say."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((32, 3)),
            layers.Conv1D(8, 5, padding="same", activation="relu"),
            layers.MaxPooling1D(2),
            layers.SeparableConv1D(12, 3, strides=2, padding="same", activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(5, use_bias=False),
        ]
    )


def keras_flatten(tf: Any) -> Any:
    """8x8x1 -> 5."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.ZeroPadding2D(1),
            layers.Conv2D(6, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def keras_uint8(tf: Any) -> Any:
    """8x8x3 -> 4."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(6, 3, strides=2, activation="relu", padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )


def describe(path: Path, model: bytes, samples: list[list[np.ndarray]]) -> None:
    """Write `model` and print how its outputs vary over the calibration samples."""
    litert = write_model(path, model)
    batch = [np.concatenate([sample[i] for sample in samples]) for i in range(len(samples[0]))]
    if litert.inputs[0]["dtype"] == np.uint8:
        batch = [np.clip(np.round(values * 40 + 128), 0, 255).astype(np.uint8) for values in batch]
    elif litert.inputs[0]["dtype"] == np.int8:
        batch = [litert.quantize(values, i) for i, values in enumerate(batch)]
    for output in litert.run(*batch):
        print(f"  output values {output.min()}..{output.max()}, {len(np.unique(output))} different ones")


def main() -> None:
    tf = deterministic(SEED)
    rng = np.random.default_rng(SEED)

    def noise_samples(shapes: list[tuple[int, ...]]) -> list[list[np.ndarray]]:
        return [[rng.normal(0.0, 1.0, shape).astype(np.float32) for shape in shapes] for _ in range(CALIBRATION)]

    for name, function, shapes, float_io in (
        ("zoo_image", image_zoo(tf), [(1, 17, 13, 3)], False),
        ("zoo_ports", ports_zoo(tf), [(1, 8, 6, 4), (1, 6, 4)], False),
        ("zoo_float", float_zoo(tf), [(1, 10, 10, 2), (1, 5)], True),
    ):
        samples = noise_samples(shapes)
        describe(HERE / f"{name}.tflite", convert(function, shapes, samples, float_io=float_io), samples)
    for name, model, edges in (
        ("keras_conv1d", keras_conv1d(tf), "int8"),
        ("keras_flatten", keras_flatten(tf), "int8"),
        ("keras_uint8", keras_uint8(tf), "uint8"),
    ):
        samples = noise_samples([(1, *model.input_shape[1:])])
        describe(HERE / f"{name}.tflite", convert_keras(model, samples, edges), samples)


if __name__ == "__main__":
    main()
