"""The zoo's nets that come from Keras: int8 .tflite by TensorFlow's own converter, trained on digits and on made signals, with fixed seeds.

Each is the building block that gives a family its name, in a size for a microcontroller. The transformer's block has random weights:
alone it has no task.

Run: python scenarios/zoo/make_tflite.py [NAME ...]   (needs scenarios/models/requirements.txt)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import data

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

from conversion import convert, deterministic, full_integer  # noqa: E402 - beside the other scenarios

SEED = 11


def normal(tf: Any, x: Any) -> Any:
    """Normalised over the batch, which the converter folds into the layer before: without it such deep nets learn nothing."""
    return tf.keras.layers.BatchNormalization(momentum=0.9)(x)


def inverted_residual(
    tf: Any, x: Any, expand: int, channels: int, stride: int, activation: Callable[[Any], Any], squeeze: bool
) -> Any:
    """Expansion, depthwise, projection, and the way around them; with `squeeze`, a gate for each channel."""
    layers = tf.keras.layers
    start, inner = x, x.shape[-1] * expand
    x = activation(normal(tf, layers.Conv2D(inner, 1)(x)))
    x = activation(normal(tf, layers.DepthwiseConv2D(3, stride, "same")(x)))
    if squeeze:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(max(inner // 4, 4), 1, activation="relu")(gate)
        gate = layers.Conv2D(inner, 1)(gate)
        x = layers.Multiply()([x, layers.ReLU(6.0)(gate + 3.0) * (1 / 6)])
    x = normal(tf, layers.Conv2D(channels, 1)(x))
    return layers.Add()([x, start]) if stride == 1 and start.shape[-1] == channels else x


def mobile(tf: Any, size: int, activation: Callable[[Any], Any], expand: int, squeeze: bool) -> Any:
    layers = tf.keras.layers
    given = layers.Input((size, size, 3))
    x = activation(normal(tf, layers.Conv2D(8, 3, 2, "same")(given)))
    for channels, stride in ((8, 1), (12, 2), (12, 1), (16, 2)):
        x = inverted_residual(tf, x, expand, channels, stride, activation, squeeze)
    x = activation(normal(tf, layers.Conv2D(32, 1)(x)))
    return tf.keras.Model(given, layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(x)))


def mobilenet_v2(tf: Any) -> Any:
    return mobile(tf, 32, tf.keras.layers.ReLU(6.0), 4, squeeze=False)


def mobilenet_v3(tf: Any) -> Any:
    return mobile(tf, 32, lambda x: x * (tf.keras.layers.ReLU(6.0)(x + 3.0) * (1 / 6)), 3, squeeze=True)


def efficientnet_lite(tf: Any) -> Any:
    """MBConv with kernels of 3 and 5, ReLU6, and no gates: what Lite leaves out."""
    layers = tf.keras.layers
    relu6 = layers.ReLU(6.0)
    given = layers.Input((40, 40, 3))
    x = relu6(normal(tf, layers.Conv2D(8, 3, 2, "same")(given)))
    for channels, stride, kernel, expand in ((8, 1, 3, 1), (12, 2, 3, 4), (16, 2, 5, 4), (16, 1, 5, 4)):
        start, inner = x, x.shape[-1] * expand
        if expand > 1:
            x = relu6(normal(tf, layers.Conv2D(inner, 1)(x)))
        x = relu6(normal(tf, layers.DepthwiseConv2D(kernel, stride, "same")(x)))
        x = normal(tf, layers.Conv2D(channels, 1)(x))
        if stride == 1 and start.shape[-1] == channels:
            x = layers.Add()([x, start])
    x = relu6(normal(tf, layers.Conv2D(40, 1)(x)))
    return tf.keras.Model(given, layers.Dense(10, "softmax")(layers.GlobalAveragePooling2D()(x)))


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
    project, over_time, dense = trained_detector(tf, frames, numbers, filters)

    class Stream(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.past = tf.Variable(tf.zeros((1, frames - 1, numbers)), trainable=False)
            self.project, self.over_time, self.dense = map(tf.constant, (project, over_time, dense))

        def __call__(self, frame: Any) -> Any:
            seen = tf.concat([self.past, frame], 1)
            self.past.assign(seen[:, 1:])
            return detected(tf, seen, self.project, self.over_time, self.dense)

    stream = Stream()
    concrete = tf.function(stream).get_concrete_function(tf.TensorSpec((1, 1, numbers), tf.float32, name="frame"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], stream)
    converter.experimental_enable_resource_variables = True
    converter._experimental_variable_quantization = True  # the only way to an int8 state
    heard, labels = data.stream(frames, numbers, 400, SEED + 1)
    data.write("streaming_wake_word", ((heard, labels), (heard[:, np.newaxis, np.newaxis], labels)))
    typical, _ = data.stream(frames, numbers, 300, SEED)
    return full_integer(converter, ([frame.reshape(1, 1, numbers)] for frame in typical))


def detected(tf: Any, seen: Any, project: Any, over_time: Any, dense: Any) -> Any:
    """Scores (count, 3) of `seen` (count, frames, numbers): what the last frames hold."""
    x = tf.nn.relu(tf.nn.conv2d(seen[:, :, tf.newaxis], project, 1, "VALID"))
    x = tf.nn.relu(tf.nn.depthwise_conv2d(x, over_time, [1, 1, 1, 1], "VALID"))
    return tf.nn.softmax(tf.matmul(tf.reshape(x, (-1, dense.shape[0])), dense))


def trained_detector(tf: Any, frames: int, numbers: int, filters: int) -> list[np.ndarray]:
    """The weights of `detected`, learnt from windows of another recording than the test's."""
    rng = np.random.default_rng(SEED)
    shapes = ((1, 1, numbers, filters), (frames, 1, filters, 1), (filters, 3))
    weights = [tf.Variable(rng.normal(size=shape) / 3, dtype=tf.float32) for shape in shapes]
    heard, labels = data.stream(frames, numbers, 4000, SEED)
    windows = np.stack([heard[k - frames + 1 : k + 1] for k in range(frames - 1, len(heard))])
    optimizer = tf.keras.optimizers.Adam(5e-3)

    @tf.function
    def step(seen: Any, right: Any) -> None:
        with tf.GradientTape() as tape:
            found = detected(tf, seen, *weights)
            loss = tf.reduce_mean(tf.keras.losses.sparse_categorical_crossentropy(right, found))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    for seen, right in data.batches((windows, labels[frames - 1 :]), 20, 64):
        if len(seen) >= 64:
            step(tf.constant(seen[:64]), tf.constant(right[:64]))
    return [weight.numpy() for weight in weights]


def taught(tf: Any, model: Any, halves: tuple[data.Half, data.Half], epochs: int) -> None:
    """Train a classifier, and say what it learnt."""
    inputs, labels = halves[0]
    model.compile(tf.keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(SEED)
    for _ in range(epochs):
        order = rng.permutation(len(inputs))
        model.fit(inputs[order], labels[order], batch_size=32, epochs=1, shuffle=False, verbose=0)
    print(f"accuracy {data.accuracy(lambda x: model.predict(x, verbose=0), halves[1]):.1%} in float")


def pictures(size: int) -> tuple[data.Half, data.Half]:
    """Digits with their channels last."""
    learnt, tested = data.digits(size)
    return (learnt[0].transpose(0, 2, 3, 1), learnt[1]), (tested[0].transpose(0, 2, 3, 1), tested[1])


def sequences(channels: int, steps: int) -> tuple[data.Half, data.Half]:
    """Signals with their steps first."""
    learnt, tested = data.waves(channels, steps)
    return (learnt[0].transpose(0, 2, 1), learnt[1]), (tested[0].transpose(0, 2, 1), tested[1])


# What a net learns from, for how many epochs, and what its test is called: nets of one size share it.
LESSONS: dict[str, tuple[Callable[[], tuple[data.Half, data.Half]], int, str]] = {
    "mobilenet_v2": (lambda: pictures(32), 12, "digits_32"),
    "mobilenet_v3": (lambda: pictures(32), 12, "digits_32"),
    "efficientnet_lite": (lambda: pictures(40), 12, "digits_40"),
    "lstm": (lambda: sequences(6, 12), 15, "lstm"),
    "gru": (lambda: sequences(6, 10), 15, "gru"),
}
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
            typical = samples(shape)
            if make.__name__ in LESSONS:
                lesson, epochs, test = LESSONS[make.__name__]
                halves = lesson()
                taught(tf, model, halves, epochs)
                if test != "digits_32":  # make_onnx.py keeps that, with channels first
                    data.write(test, halves)
                typical = ([sample[np.newaxis]] for sample in halves[0][0][:64])
            content = convert(lambda x, model=model: model(x, training=False), [shape], typical)
        (HERE / f"{make.__name__}.tflite").write_bytes(content)
        print(f"{make.__name__}: {len(content):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
