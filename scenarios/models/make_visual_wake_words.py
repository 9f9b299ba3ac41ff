"""Visual wake words: MobileNetV1 0.25 in MLPerf Tiny's shape, trained on synthetic pictures. NOT trained on COCO.

Shape (Banbury et al., "MLPerf Tiny Benchmark", 2021; the network is Howard et al., "MobileNets", 2017, with width
0.25): input 96x96x3, two classes (no person, person); a 3x3 convolution stride 2 with 8 filters, thirteen depthwise
separable blocks up to 256 channels, average pool, dense, softmax. 7,489,664 multiply-accumulates.

Stand-in data: cluttered scenes of walls, boxes, balls, poles and trees; in half of them stands a figure with a head,
hair, a torso, arms and legs in any clothing, size, lean and place. Scenes without one get more clutter, among it heads
without bodies and bodies without heads, so that no single part gives the answer.

Run: python scenarios/models/make_visual_wake_words.py   (about ten minutes)
"""

from __future__ import annotations

import numpy as np
from conversion import HERE, convert, deterministic, smoothed, write_held_out, write_model

SEED = 31
SIDE = 96
TRAINING, VALIDATION, COMMITTED = 6000, 400, 24  # pictures in all
# (filters at width 1, stride) of the depthwise separable blocks, Howard et al., table 1.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
WIDTH = 0.25
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)

Colour = np.ndarray
Point = tuple[float, float]  # x, y in pixels


def paint(image: np.ndarray, signed: np.ndarray, colour: Colour) -> None:
    """Fill where `signed` (pixels) is negative, with a soft edge of a pixel."""
    cover = np.clip(0.5 - signed, 0.0, 1.0)[..., np.newaxis]
    image += cover * (colour - image)


def ellipse(centre: Point, radii: Point) -> np.ndarray:
    """About the signed distance to an upright ellipse."""
    scaled = np.hypot((COLUMNS - centre[0]) / radii[0], (ROWS - centre[1]) / radii[1])
    return (scaled - 1.0) * min(radii)


def limb(start: Point, end: Point, thickness: float) -> np.ndarray:
    """Signed distance to a thick line with round ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((COLUMNS - start[0]) * dx + (ROWS - start[1]) * dy) / (dx * dx + dy * dy + 1e-6)
    along = np.clip(along, 0.0, 1.0)
    return np.hypot(COLUMNS - start[0] - along * dx, ROWS - start[1] - along * dy) - thickness


def head(image: np.ndarray, at: Point, size: float, rng: np.random.Generator) -> None:
    """A face with hair; `size` is its half height."""
    skin = np.array([0.95, 0.75, 0.6]) * rng.uniform(0.35, 1.0) + rng.normal(0, 0.02, 3)
    hair = np.array([0.5, 0.35, 0.2]) * rng.uniform(0.1, 1.4)
    paint(image, ellipse((at[0], at[1] - 0.25 * size), (0.9 * size, size)), hair)
    paint(image, ellipse((at[0], at[1] + 0.1 * size), (0.75 * size, 0.9 * size)), skin)


def body(image: np.ndarray, at: Point, size: float, rng: np.random.Generator) -> None:
    """Torso, arms and legs below a head at `at`; `size` is the half height of that head."""
    shirt, trousers = rng.uniform(0.05, 0.95, (2, 3))
    lean = rng.normal(0.0, 0.5) * size
    neck = (at[0], at[1] + 1.3 * size)
    hip = (at[0] + lean, at[1] + 4.3 * size)
    for side in (-1.0, 1.0):
        foot = (hip[0] + side * rng.uniform(0.3, 1.5) * size, hip[1] + 3.8 * size)
        paint(image, limb((hip[0] + side * 0.4 * size, hip[1]), foot, 0.42 * size), trousers)
    paint(image, limb((neck[0], neck[1] + 0.5 * size), hip, 0.95 * size), shirt)
    for side in (-1.0, 1.0):
        hand = (neck[0] + side * rng.uniform(0.9, 3.0) * size, neck[1] + rng.uniform(-1.0, 3.3) * size)
        paint(image, limb((neck[0] + side * 0.9 * size, neck[1] + 0.4 * size), hand, 0.3 * size), shirt * 0.9)


def clutter(image: np.ndarray, rng: np.random.Generator) -> None:
    """One thing that is no person."""
    x, y = rng.uniform(0, SIDE, 2)
    size = rng.uniform(4.0, 22.0)
    colour = rng.uniform(0.05, 0.95, 3)
    kind = rng.integers(4)
    if kind == 0:  # a box
        half = size * rng.uniform(0.4, 1.0)
        paint(image, np.maximum(np.abs(COLUMNS - x) - half, np.abs(ROWS - y) - size), colour)
    elif kind == 1:  # a ball
        paint(image, ellipse((x, y), (size * 0.7, size * 0.7)), colour)
    elif kind == 2:  # a pole
        paint(image, limb((x, y), (x + rng.normal(0, 6), y + rng.uniform(25, 70)), size * 0.15), colour)
    else:  # a tree
        paint(image, limb((x, y), (x, y + 2.5 * size), size * 0.2), np.array([0.4, 0.28, 0.15]))
        paint(image, ellipse((x, y), (size, size * 0.9)), np.array([0.2, 0.55, 0.2]) * rng.uniform(0.5, 1.5))


def picture(person: bool, rng: np.random.Generator) -> np.ndarray:
    """A new (96, 96, 3) float32 scene, values 0..1."""
    sky, ground = rng.uniform(0.1, 0.9, (2, 3))
    horizon = rng.uniform(0.3, 0.8) * SIDE
    blend = np.clip((ROWS - horizon) / rng.uniform(1.0, 25.0), 0.0, 1.0)[..., np.newaxis]
    image = (sky + blend * (ground - sky)).astype(np.float32)
    for _ in range(rng.integers(2, 7)):
        clutter(image, rng)
    size = rng.uniform(5.5, 10.0)
    at = (float(rng.uniform(12, SIDE - 12)), float(rng.uniform(size + 2, SIDE - 5.5 * size)))
    if person:
        body(image, at, size, rng)
        head(image, at, size, rng)
    elif (part := rng.uniform()) < 0.2:
        head(image, at, size, rng)
    elif part < 0.4:
        body(image, at, size, rng)
    for _ in range(rng.integers(0, 3)):  # in front, at the edges mostly
        if rng.uniform() < 0.4:
            clutter(image, rng)
    image = image * rng.uniform(0.55, 1.15) + rng.normal(0.0, rng.uniform(0.01, 0.06), image.shape)
    return np.clip(image, 0.0, 1.0).astype(np.float32)


def dataset(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`count` pictures, person and no person taking turns, and labels (1 = person)."""
    labels = np.arange(1, count + 1) % 2
    return np.stack([picture(bool(label), rng) for label in labels]), labels


def network(tf: object) -> object:
    """The untrained MobileNetV1 0.25."""
    layers = tf.keras.layers  # type: ignore[attr-defined]

    def normalised(x: object) -> object:
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))

    inputs = layers.Input((SIDE, SIDE, 3))
    x = normalised(layers.Conv2D(int(32 * WIDTH), 3, strides=2, padding="same", use_bias=False)(inputs))
    for filters, stride in BLOCKS:
        x = normalised(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x))
        x = normalised(layers.Conv2D(int(filters * WIDTH), 1, use_bias=False)(x))
    x = layers.Flatten()(layers.AveragePooling2D(3)(x))
    outputs = layers.Dense(2, activation="softmax")(x)
    return tf.keras.Model(inputs, outputs)  # type: ignore[attr-defined]


def main() -> None:
    tf = deterministic(SEED)
    x_train, y_train = dataset(TRAINING, np.random.default_rng([SEED, 0]))
    x_test, y_test = dataset(VALIDATION, np.random.default_rng([SEED, 1]))
    model = network(tf)
    epochs, batch = 30, 32
    schedule = tf.keras.optimizers.schedules.CosineDecay(6e-3, decay_steps=epochs * len(x_train) // batch)
    model.compile(tf.keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng([SEED, 2])
    for _ in range(epochs):  # every other picture is mirrored, others each time
        mirrored = rng.random(len(x_train)) < 0.5
        pictures = np.where(mirrored[:, None, None, None], x_train[:, :, ::-1], x_train)
        model.fit(pictures, smoothed(y_train, 2), batch_size=batch, epochs=1, verbose=2)

    litert = write_model(
        HERE / "visual_wake_words.tflite",
        convert(model, [(1, SIDE, SIDE, 3)], ([x[np.newaxis]] for x in x_train[:160])),
    )
    float_scores = model.predict(x_test, verbose=0)
    write_held_out(HERE / "visual_wake_words_test.npz", litert, float_scores, x_test, y_test, COMMITTED)


if __name__ == "__main__":
    main()
