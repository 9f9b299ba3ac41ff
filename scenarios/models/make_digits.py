"""Digits: a small CNN trained on scikit-learn's handwritten digits (8x8, 16 grey levels, 1,797 images).

The one scenario here on real data: the images are the UCI "Optical Recognition of Handwritten Digits" test set that
scikit-learn carries (E. Alpaydin, C. Kaynak, 1998, CC BY 4.0). 360 of them, a fixed stratified fifth, are held out
and committed as digits_test.npz; accuracy measured by running firmware on them must equal LiteRT's.

Run: python scenarios/models/make_digits.py   (well under a minute)
"""

from __future__ import annotations

import numpy as np
from conversion import HERE, convert, deterministic, smoothed, write_held_out, write_model

SEED = 3
HELD_OUT = 360


def images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and held-out images, (n, 8, 8, 1) float32 in 0..1, and their digits."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    pixels = (data.images / 16.0).astype(np.float32)[..., np.newaxis]
    x_train, x_test, y_train, y_test = train_test_split(
        pixels, data.target, test_size=HELD_OUT, random_state=0, stratify=data.target
    )
    return x_train, y_train, x_test, y_test


def shifted(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by -1, 0 or 1 pixel in both directions, black moving in."""
    padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0)))
    moves = rng.integers(0, 3, (len(pixels), 2))
    return np.stack([image[dy : dy + 8, dx : dx + 8] for image, (dy, dx) in zip(padded, moves, strict=True)])


def main() -> None:
    tf = deterministic(SEED)
    layers = tf.keras.layers
    x_train, y_train, x_test, y_test = images()
    model = tf.keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    schedule = tf.keras.optimizers.schedules.CosineDecay(4e-3, decay_steps=60 * 45)
    model.compile(tf.keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(SEED)
    for _ in range(30):  # half of each pair of epochs sees the images moved
        model.fit(x_train, smoothed(y_train, 10), batch_size=32, epochs=1, verbose=0)
        model.fit(shifted(x_train, rng), smoothed(y_train, 10), batch_size=32, epochs=1, verbose=0)

    litert = write_model(
        HERE / "digits.tflite", convert(model, [(1, 8, 8, 1)], ([image[np.newaxis]] for image in x_train[:300]))
    )
    float_scores = model.predict(x_test, verbose=0)
    write_held_out(HERE / "digits_test.npz", litert, float_scores, x_test, y_test, HELD_OUT)


if __name__ == "__main__":
    main()
