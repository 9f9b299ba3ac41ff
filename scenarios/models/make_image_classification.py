"""Image classification: ResNet-8 in MLPerf Tiny's shape, trained on synthetic pictures. NOT trained on CIFAR-10.

Shape (Banbury et al., "MLPerf Tiny Benchmark", 2021; residual blocks as He et al., 2015): input 32x32x3, ten classes;
a 3x3 convolution with 16 filters, three residual blocks of two 3x3 convolutions with 16, 32 and 64 filters (the last
two halve the image and have a 1x1 convolution on the shortcut), average pool, dense, softmax. 12,501,632
multiply-accumulates.

Stand-in data: ten kinds of picture, a shape (disc, ring, square, triangle, cross, star) or a texture (stripes,
checkerboard, dots, rings), in random colours, sizes, places and angles on a shaded background, partly covered,
with noise. Colour says nothing about the class.

Run: python scenarios/models/make_image_classification.py   (several minutes)
"""

from __future__ import annotations

import numpy as np
from conversion import HERE, convert, deterministic, smoothed, write_held_out, write_model

SEED = 21
SIDE = 32
CLASSES = ("disc", "ring", "square", "triangle", "cross", "star", "stripes", "checkerboard", "dots", "rings")
TRAINING, VALIDATION, COMMITTED = 1500, 50, 3  # pictures per class
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def rotated(rng: np.random.Generator, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the pixels in a frame turned by any angle, its origin within `spread` of the middle."""
    x0, y0 = SIDE / 2 + rng.uniform(-spread, spread, 2)
    angle = rng.uniform(0, 2 * np.pi)
    dx, dy = COLUMNS - x0, ROWS - y0
    return dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)


def distance(label: str, rng: np.random.Generator) -> np.ndarray:
    """(32, 32) field that is negative inside the figure, in pixels or about so."""
    x, y = rotated(rng, 6.0)
    radius, phi = np.hypot(x, y), np.arctan2(y, x)
    size = rng.uniform(6.0, 11.0)
    if label == "disc":
        return radius - size
    if label == "ring":
        return np.abs(radius - size) - size * rng.uniform(0.18, 0.32)
    if label == "square":
        return np.maximum(np.abs(x), np.abs(y)) - 0.85 * size
    if label == "triangle":
        return np.maximum.reduce([x * np.cos(a) + y * np.sin(a) for a in np.pi / 3 * np.array([0, 2, 4])]) - 0.6 * size
    if label == "cross":
        arm = size * rng.uniform(0.22, 0.36)
        return np.minimum(np.maximum(np.abs(x) - size, np.abs(y) - arm), np.maximum(np.abs(y) - size, np.abs(x) - arm))
    if label == "star":
        return radius - size * (0.8 + 0.35 * np.cos(5 * phi))
    period = rng.uniform(5.0, 9.0)
    wave_x, wave_y = (np.cos(2 * np.pi * (axis / period + rng.uniform())) for axis in (x, y))
    if label == "stripes":
        return 2.0 * wave_x
    if label == "checkerboard":
        return 3.0 * wave_x * wave_y
    if label == "dots":
        return 2.0 * (0.7 - wave_x - wave_y)
    return 2.0 * np.cos(2 * np.pi * (radius / period + rng.uniform()))


def colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Figure and background colour, far enough apart to be told."""
    while True:
        one, other = rng.uniform(0.05, 0.95, (2, 3))
        if np.abs(one - other).sum() > 0.7:
            return one, other


def picture(label: str, rng: np.random.Generator) -> np.ndarray:
    """A new (32, 32, 3) float32 picture of class `label`, values 0..1."""
    figure, background = colours(rng)
    cover = 1.0 / (1.0 + np.exp(np.clip(2.0 * distance(label, rng), -30, 30)))[..., np.newaxis]
    across, _ = rotated(rng, 0.0)
    shade = rng.uniform(-0.35, 0.35, 3) * (across / SIDE)[..., np.newaxis]
    image = cover * figure + (1.0 - cover) * (background + shade)
    # Something small lies in front.
    height, width = rng.integers(3, 9, 2)
    top, left = rng.integers(0, SIDE - height), rng.integers(0, SIDE - width)
    image[top : top + height, left : left + width] = rng.uniform(0, 1, 3)
    image = image * rng.uniform(0.6, 1.15) + rng.normal(0.0, rng.uniform(0.02, 0.1), image.shape)
    return np.clip(image, 0.0, 1.0).astype(np.float32)


def dataset(per_class: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`per_class` pictures of every class, classes taking turns, and their labels."""
    labels = np.tile(np.arange(len(CLASSES)), per_class)
    return np.stack([picture(CLASSES[label], rng) for label in labels]), labels


def network(tf: object) -> object:
    """The untrained ResNet-8."""
    layers = tf.keras.layers  # type: ignore[attr-defined]
    decay = tf.keras.regularizers.l2(1e-4)  # type: ignore[attr-defined]

    def convolution(x: object, filters: int, size: int, stride: int) -> object:
        return layers.Conv2D(filters, size, strides=stride, padding="same", kernel_regularizer=decay)(x)

    inputs = layers.Input((SIDE, SIDE, 3))
    x = layers.ReLU()(layers.BatchNormalization()(convolution(inputs, 16, 3, 1)))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = layers.ReLU()(layers.BatchNormalization()(convolution(x, filters, 3, stride)))
        y = layers.BatchNormalization()(convolution(y, filters, 3, 1))
        shortcut = x if stride == 1 else convolution(x, filters, 1, stride)
        x = layers.ReLU()(layers.Add()([shortcut, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    outputs = layers.Dense(len(CLASSES), activation="softmax")(x)
    return tf.keras.Model(inputs, outputs)  # type: ignore[attr-defined]


def main() -> None:
    tf = deterministic(SEED)
    x_train, y_train = dataset(TRAINING, np.random.default_rng([SEED, 0]))
    x_test, y_test = dataset(VALIDATION, np.random.default_rng([SEED, 1]))
    model = network(tf)
    epochs, batch = 12, 64
    schedule = tf.keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=epochs * len(x_train) // batch)
    model.compile(tf.keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, smoothed(y_train, len(CLASSES)), batch_size=batch, epochs=epochs, verbose=2)

    litert = write_model(
        HERE / "image_classification.tflite",
        convert(model, [(1, SIDE, SIDE, 3)], ([x[np.newaxis]] for x in x_train[:200])),
    )
    float_scores = model.predict(x_test, verbose=0)
    write_held_out(
        HERE / "image_classification_test.npz", litert, float_scores, x_test, y_test, COMMITTED * len(CLASSES)
    )


if __name__ == "__main__":
    main()
