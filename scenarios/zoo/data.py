"""What the zoo's nets learn from: scikit-learn's handwritten digits, enlarged, and signals made here with a fixed seed.

Each function gives (inputs, labels) for training and (inputs, labels) for the test, which no net has seen. `write` keeps the latter, and
some of the former for calibration, beside the scenarios.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 14
TESTED, CALIBRATED = 100, 32

Half = tuple[np.ndarray, np.ndarray]


def digits(size: int) -> tuple[Half, Half]:
    """Handwritten digits in one colour each on another, (count, 3, size, size) from -1 to 1; `size` is a multiple of 8."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(found.images))
    grey = np.kron(found.images[order] / 16, np.ones((size // 8, size // 8)))
    tints = rng.choice([0.5, 0.75, 1.0], (len(grey), 3, 1, 1))
    pictures = (2 * grey[:, np.newaxis] * tints - 1).astype(np.float32)
    return _halves(pictures, found.target[order].astype(np.int64))


def waves(channels: int, steps: int) -> tuple[Half, Half]:
    """Low tones, high tones, rising and falling chirps in noise, (count, channels, steps): channels lag behind each other."""
    rng = np.random.default_rng(SEED)
    labels = rng.integers(0, 4, 1200)
    time = np.arange(steps) / steps
    low, high = 0.08 * steps, 0.3 * steps  # cycles over the window
    phase = rng.uniform(0, 2 * np.pi, (len(labels), 1, 1)) + 0.6 * np.arange(channels)[:, np.newaxis]
    begin = np.where(np.isin(labels, (0, 2)), low, high)[:, np.newaxis, np.newaxis]
    end = np.where(np.isin(labels, (0, 3)), low, high)[:, np.newaxis, np.newaxis]
    begin, end = (each * rng.uniform(0.9, 1.1, begin.shape) for each in (begin, end))
    made = np.sin(phase + 2 * np.pi * (begin * time + (end - begin) * time**2 / 2))
    made += 0.3 * rng.normal(size=made.shape)
    return _halves(made.astype(np.float32), labels)


def machine_sounds() -> tuple[Half, Half]:
    """Spectrograms (count, 1, 16, 16) of a machine: harmonics of a speed that drifts. Label 1: a bearing knocks.

    All that is for training is sound.
    """
    rng = np.random.default_rng(SEED)
    count = 1000
    labels = np.where(np.arange(count) < TESTED, np.arange(count) % 2, 0)
    speed = rng.uniform(2.6, 3.4, (count, 1)) + np.cumsum(rng.normal(0, 0.02, (count, 16)), axis=1)
    rows = np.arange(16)[:, np.newaxis]
    lines = sum(np.exp(-((rows - order * speed[:, np.newaxis]) ** 2) / 0.8) / order**0.5 for order in range(1, 5))
    pictures = 2 * lines - 1 + 0.08 * rng.normal(size=lines.shape)
    knocks = (np.arange(16) + rng.integers(0, 5, (count, 1))) % 5 == 0
    pictures += 0.5 * labels[:, np.newaxis, np.newaxis] * knocks[:, np.newaxis] * rng.uniform(0.5, 1, (count, 16, 1))
    pictures = np.clip(pictures, -1, 1)[:, np.newaxis].astype(np.float32)
    return (pictures[TESTED:], labels[TESTED:]), (pictures[:TESTED], labels[:TESTED])


def stream(frames: int, numbers: int, count: int, seed: int) -> Half:
    """Frames (count, numbers) of one long recording: noise, in which now and then a chirp rises or falls through the bands.

    The label of a frame is what ended less than four frames ago: 0 nothing, 1 a rising chirp, 2 a falling one.
    """
    rng = np.random.default_rng(seed)
    sound = 0.25 * rng.normal(size=(count, numbers))
    labels = np.zeros(count, np.int64)
    at = frames
    while at + frames < count:
        kind = int(rng.integers(1, 3))
        length = int(rng.integers(frames - 6, frames - 2))
        bands = np.linspace(0, numbers - 1, length)
        for step, band in enumerate(bands if kind == 1 else bands[::-1]):
            sound[at + step] += 1.5 * np.exp(-((np.arange(numbers) - band) ** 2))
        labels[at + length - 1 : at + length + 3] = kind
        at += length + 3 + int(rng.integers(frames, 2 * frames))
    return sound.astype(np.float32), labels


def _halves(inputs: np.ndarray, labels: np.ndarray) -> tuple[Half, Half]:
    return (inputs[TESTED:], labels[TESTED:]), (inputs[:TESTED], labels[:TESTED])


def write(name: str, halves: tuple[Half, Half], *, calibration: bool = False) -> None:
    """`NAME_test.npz`, and `NAME_calibration.npz` where the net is quantised as its scenario runs; half precision is enough."""
    (inputs, _), (tested, labels) = halves
    np.savez_compressed(HERE / f"{name}_test.npz", inputs=np.round(tested, 3).astype(np.float16), labels=labels)
    if calibration:
        some = np.round(inputs[:CALIBRATED], 3).astype(np.float16)
        np.savez_compressed(HERE / f"{name}_calibration.npz", inputs=some)


def batches(halves: Half, epochs: int, size: int = 32) -> list[Half]:
    """All batches of all epochs, in an order that the seed decides."""
    rng = np.random.default_rng(SEED)
    inputs, labels = halves
    found = []
    for _ in range(epochs):
        order = rng.permutation(len(inputs))
        found += [(inputs[part], labels[part]) for part in np.array_split(order, max(1, len(order) // size))]
    return found


Score = Callable[[np.ndarray], np.ndarray]


def accuracy(predict: Score, half: Half) -> float:
    """The share of `half` whose largest output is at the label."""
    return float(np.mean(predict(half[0]).argmax(1) == half[1]))
