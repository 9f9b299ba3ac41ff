"""The zoo's nets that come from Keras: int8 .tflite by TensorFlow's own converter, untrained, with fixed seeds.

Each is the building block that gives a family its name, in a size for a microcontroller. Weights are random: what they
cost is what trained ones cost, and what they say means nothing.

Run: python scenarios/zoo/make_tflite.py [NAME ...]   (needs scenarios/models/requirements.txt)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

from conversion import convert, deterministic, full_integer  # noqa: E402 - beside the other scenarios

SEED = 11


def inverted_residual(
    tf: Any, x: Any, expand: int, channels: int, stride: int, activation: Callable[[Any], Any], squeeze: bool
) -> Any:
    """Expansion, depthwise, projection, and the way around them; with `squeeze`, a gate for each channel."""
    layers = tf.keras.layers
    start, inner = x, x.shape[-1] * expand
    x = activation(layers.Conv2D(inner, 1)(x))
    x = activation(layers.DepthwiseConv2D(3, stride, "same")(x))
    if squeeze:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(max(inner // 4, 4), 1, activation="relu")(gate)
        gate = layers.Conv2D(inner, 1)(gate)
        x = layers.Multiply()([x, layers.ReLU(6.0)(gate + 3.0) * (1 / 6)])
    x = layers.Conv2D(channels, 1)(x)
    return layers.Add()([x, start]) if stride == 1 and start.shape[-1] == channels else x


def mobile(tf: Any, size: int, activation: Callable[[Any], Any], expand: int, squeeze: bool) -> Any:
    layers = tf.keras.layers
    given = layers.Input((size, size, 3))
    x = activation(layers.Conv2D(8, 3, 2, "same")(given))
    for channels, stride in ((8, 1), (12, 2), (12, 1), (16, 2)):
        x = inverted_residual(tf, x, expand, channels, stride, activation, squeeze)
    x = activation(layers.Conv2D(32, 1)(x))
    return tf.keras.Model(given, layers.Dense(5, "softmax")(layers.GlobalAveragePooling2D()(x)))


def mobilenet_v2(tf: Any) -> Any:
    return mobile(tf, 32, tf.keras.layers.ReLU(6.0), 4, squeeze=False)


def mobilenet_v3(tf: Any) -> Any:
    return mobile(tf, 32, lambda x: x * (tf.keras.layers.ReLU(6.0)(x + 3.0) * (1 / 6)), 3, squeeze=True)


def efficientnet_lite(tf: Any) -> Any:
    """MBConv with kernels of 3 and 5, ReLU6, and no gates: what Lite leaves out."""
    layers = tf.keras.layers
    relu6 = layers.ReLU(6.0)
    given = layers.Input((40, 40, 3))
    x = relu6(layers.Conv2D(8, 3, 2, "same")(given))
    for channels, stride, kernel, expand in ((8, 1, 3, 1), (12, 2, 3, 4), (16, 2, 5, 4), (16, 1, 5, 4)):
        start, inner = x, x.shape[-1] * expand
        if expand > 1:
            x = relu6(layers.Conv2D(inner, 1)(x))
        x = relu6(layers.DepthwiseConv2D(kernel, stride, "same")(x))
        x = layers.Conv2D(channels, 1)(x)
        if stride == 1 and start.shape[-1] == channels:
            x = layers.Add()([x, start])
    x = relu6(layers.Conv2D(40, 1)(x))
    return tf.keras.Model(given, layers.Dense(6, "softmax")(layers.GlobalAveragePooling2D()(x)))


def lstm(tf: Any) -> Any:
    layers = tf.keras.layers
    given = layers.Input((12, 6))
    return tf.keras.Model(given, layers.Dense(4, "softmax")(layers.LSTM(16, unroll=True)(given)))


def gru(tf: Any) -> Any:
    layers = tf.keras.layers
    given = layers.Input((10, 6))
    return tf.keras.Model(given, layers.Dense(4, "softmax")(layers.GRU(12, unroll=True)(given)))


def distilbert_block(tf: Any) -> Any:
    """Self-attention with two heads, GELU between dense layers, layer normalisation behind each: 16 words of 24 numbers."""
    layers = tf.keras.layers
    words, width, heads = 16, 24, 2
    given = layers.Input((words, width))
    parts = []
    for _ in range(heads):
        query, key, value = (layers.Dense(width // heads)(given) for _ in range(3))
        scores = tf.keras.ops.matmul(query, tf.keras.ops.transpose(key, (0, 2, 1))) * (width // heads) ** -0.5
        parts.append(tf.keras.ops.matmul(layers.Softmax()(scores), value))
    x = layers.Dense(width)(layers.Concatenate()(parts))
    x = layers.LayerNormalization()(layers.Add()([x, given]))
    inner = layers.Dense(width)(layers.Dense(2 * width, activation="gelu")(x))
    return tf.keras.Model(given, layers.LayerNormalization()(layers.Add()([inner, x])))


def streaming_wake_word(tf: Any) -> Any:
    """One frame of 10 numbers a call, added to the last 15 in a variable; a depthwise layer over time, and two dense ones."""
    frames, numbers, filters = 16, 10, 12
    rng = np.random.default_rng(SEED)

    class Stream(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.past = tf.Variable(tf.zeros((1, frames - 1, numbers)), trainable=False)
            self.project = tf.constant(rng.normal(size=(1, 1, numbers, filters)) / 3, tf.float32)
            self.over_time = tf.constant(rng.normal(size=(frames, 1, filters, 1)) / 4, tf.float32)
            self.dense = tf.constant(rng.normal(size=(filters, 3)) / 3, tf.float32)

        def __call__(self, frame: Any) -> Any:
            seen = tf.concat([self.past, frame], 1)
            self.past.assign(seen[:, 1:])
            x = tf.nn.relu(tf.nn.conv2d(seen[:, :, tf.newaxis], self.project, 1, "VALID"))
            x = tf.nn.relu(tf.nn.depthwise_conv2d(x, self.over_time, [1, 1, 1, 1], "VALID"))
            return tf.nn.softmax(tf.matmul(tf.reshape(x, (1, filters)), self.dense))

    stream = Stream()
    concrete = tf.function(stream).get_concrete_function(tf.TensorSpec((1, 1, numbers), tf.float32, name="frame"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], stream)
    converter.experimental_enable_resource_variables = True
    converter._experimental_variable_quantization = True  # the only way to an int8 state
    return full_integer(converter, samples((1, 1, numbers)))


NETS = (mobilenet_v2, mobilenet_v3, efficientnet_lite, lstm, gru, distilbert_block, streaming_wake_word)


def samples(shape: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    rng = np.random.default_rng(SEED)
    for _ in range(64):
        yield [rng.normal(size=shape).astype(np.float32)]


def main(names: list[str]) -> None:
    tf = deterministic(SEED)
    for make in NETS:
        if names and make.__name__ not in names:
            continue
        tf.keras.utils.set_random_seed(SEED)
        model = make(tf)
        if isinstance(model, bytes):
            content = model
        else:
            shape = (1, *model.inputs[0].shape[1:])
            content = convert(lambda x, model=model: model(x, training=False), [shape], samples(shape))
        (HERE / f"{make.__name__}.tflite").write_bytes(content)
        print(f"{make.__name__}: {len(content):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
