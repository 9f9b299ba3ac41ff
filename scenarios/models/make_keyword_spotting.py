"""Keyword spotting: DS-CNN in MLPerf Tiny's shape, trained on synthetic speech spectra. NOT trained on real speech.

Shape (Banbury et al., "MLPerf Tiny Benchmark", 2021; the network is the small DS-CNN of Zhang et al., "Hello Edge",
2017): input 49 frames x 10 MFCCs, 12 classes; convolution 10x4 stride 2 with 64 filters, four depthwise separable
blocks of 64 channels, average pool, dense, softmax. 2,656,768 multiply-accumulates.

Stand-in data: each of ten words is a sequence of phonemes; frames are power spectra of a pulse train or noise filtered
by formant resonances, with random pitch, vocal tract length, tempo, place in time, level and background noise. The
features are the usual ones (40 ms window, 20 ms hop, 40 mel bands to 4 kHz, DCT). "unknown" is other words, "silence"
background noise alone. Vowel formants: Peterson and Barney, 1952, mean of men; consonants are rough caricatures.

Run: python scenarios/models/make_keyword_spotting.py   (a few minutes)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from conversion import HERE, convert, deterministic, smoothed, write_held_out, write_model

SEED = 11
FRAMES, COEFFICIENTS, BANDS = 49, 10, 40
HOP_S = 0.020
GRID_HZ = np.arange(1, 129) * (4000 / 128)  # where spectra are evaluated
TRAINING, VALIDATION, COMMITTED = 400, 60, 5  # samples per class


class Phoneme(NamedTuple):
    """Formants in Hz, duration in s, amplitude of voicing and of noise, centre and width of the noise in Hz."""

    formants: tuple[float, float, float]
    duration: float
    voicing: float
    noise: float = 0.0
    centre: float = 2500.0
    width: float = 1500.0


PHONEMES = {
    "i": Phoneme((270, 2290, 3010), 0.11, 1.0),
    "I": Phoneme((390, 1990, 2550), 0.09, 1.0),
    "e": Phoneme((530, 1840, 2480), 0.12, 1.0),
    "ae": Phoneme((660, 1720, 2410), 0.14, 1.0),
    "a": Phoneme((730, 1090, 2440), 0.15, 1.0),
    "o": Phoneme((570, 840, 2410), 0.15, 1.0),
    "U": Phoneme((440, 1020, 2240), 0.10, 1.0),
    "u": Phoneme((300, 870, 2240), 0.13, 1.0),
    "V": Phoneme((640, 1190, 2390), 0.12, 1.0),
    "er": Phoneme((490, 1350, 1690), 0.14, 1.0),
    "j": Phoneme((280, 2200, 2900), 0.06, 0.6),
    "w": Phoneme((290, 700, 2200), 0.07, 0.6),
    "l": Phoneme((360, 1300, 2700), 0.07, 0.5),
    "r": Phoneme((330, 1100, 1600), 0.08, 0.5),
    "n": Phoneme((250, 1500, 2500), 0.09, 0.35),
    "m": Phoneme((250, 1000, 2300), 0.09, 0.35),
    "s": Phoneme((500, 1500, 2500), 0.13, 0.0, 0.5, 3900, 700),
    "f": Phoneme((500, 1500, 2500), 0.11, 0.0, 0.12, 2800, 3000),
    "h": Phoneme((600, 1300, 2500), 0.06, 0.0, 0.15, 1500, 1500),
    "closure": Phoneme((300, 1500, 2500), 0.05, 0.0),
    "t": Phoneme((300, 1800, 2600), 0.03, 0.0, 0.5, 3500, 1500),
    "p": Phoneme((300, 900, 2300), 0.03, 0.0, 0.35, 900, 900),
    "k": Phoneme((300, 1800, 2300), 0.03, 0.0, 0.45, 1900, 700),
    "d": Phoneme((260, 1700, 2600), 0.04, 0.3, 0.2, 3300, 1500),
    "g": Phoneme((260, 1500, 2300), 0.04, 0.3, 0.2, 1700, 700),
    "b": Phoneme((260, 900, 2300), 0.04, 0.3, 0.15, 800, 900),
}
# The order of the classes is MLPerf Tiny's.
WORDS = {
    "down": "d a U n",
    "go": "g o U",
    "left": "l e f closure t",
    "no": "n o U",
    "off": "o f",
    "on": "a n",
    "right": "r a I closure t",
    "stop": "s closure t a closure p",
    "up": "V closure p",
    "yes": "j e s",
}
CLASSES = (*WORDS, "silence", "unknown")
UNKNOWN = (
    "b e d", "b er d", "k ae closure t", "d o g", "h ae closure p i", "h a U s", "m a r", "f a I",
    "f o r", "s I closure k s", "s e n", "t u", "t r i", "w V n", "w a U", "j u", "b i", "l u m",
    # Some that are easily taken for a word of the list.
    "d a n", "l o", "l e s", "n a I closure t", "s closure t e closure p", "g e s", "a m", "V closure k",
)  # fmt: skip


def mel_filters() -> np.ndarray:
    """(bands, grid) triangles, evenly spaced on the mel scale from 20 Hz to 4 kHz."""
    low, high = (1127.0 * np.log1p(hz / 700.0) for hz in (20.0, 4000.0))
    edges = 700.0 * np.expm1(np.linspace(low, high, BANDS + 2) / 1127.0)
    rising = (GRID_HZ - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - GRID_HZ) / (edges[2:] - edges[1:-1])[:, None]
    # The lowest triangles are narrower than the grid: the tiny floor keeps every band connected to something.
    return np.maximum(1e-3, np.minimum(rising, falling))


def dct_matrix() -> np.ndarray:
    """(coefficients, bands), the orthonormal DCT-II."""
    n = (np.arange(BANDS) + 0.5) * np.pi / BANDS
    matrix = np.sqrt(2.0 / BANDS) * np.cos(np.arange(COEFFICIENTS)[:, None] * n)
    matrix[0] /= np.sqrt(2.0)
    return matrix


MEL, DCT = mel_filters(), dct_matrix()


def tracks(word: str, rng: np.random.Generator) -> np.ndarray:
    """(frames, 7) of formants, voicing, noise, centre, width; zero voicing and noise outside the word."""
    tempo = rng.uniform(0.8, 1.35)
    times, rows = [], []
    now = 0.0
    for name in word.split():
        phoneme = PHONEMES[name]
        length = phoneme.duration * tempo * rng.uniform(0.8, 1.25)
        formants = np.array(phoneme.formants) * rng.normal(1.0, 0.08, 3)  # no two people say it alike
        # Two points inside each phoneme, linear between them: glides where phonemes meet.
        for place in (0.25, 0.75):
            times.append(now + place * length)
            rows.append([*formants, *phoneme[2:]])
        now += length
    start = rng.uniform(0.02, max(0.03, FRAMES * HOP_S - now - 0.02))
    frame_times = np.arange(FRAMES) * HOP_S - start
    table = np.array(rows)
    result = np.stack([np.interp(frame_times, times, column) for column in table.T], axis=1)
    result[(frame_times < 0) | (frame_times > now), 3:5] = 0.0
    return result


def spectra(word: str, rng: np.random.Generator) -> np.ndarray:
    """(frames, grid) power of one utterance without background."""
    track = tracks(word, rng)
    tract = rng.uniform(0.9, 1.22)  # shorter vocal tracts have higher formants
    pitch = rng.uniform(95, 230) * (1 + rng.uniform(-0.2, 0.15) * np.linspace(0, 1, FRAMES))[:, None]
    envelope = np.ones((FRAMES, len(GRID_HZ)))
    for index, bandwidth in enumerate((80.0, 110.0, 170.0)):
        centre = (track[:, index] * tract * rng.uniform(0.96, 1.04))[:, None]
        envelope *= centre**4 / ((GRID_HZ**2 - centre**2) ** 2 + (bandwidth * GRID_HZ) ** 2)
    distance = (GRID_HZ / pitch - np.round(GRID_HZ / pitch)) * pitch
    pulses = np.exp(-0.5 * (distance / 28.0) ** 2) * (200.0 / (200.0 + GRID_HZ))
    hiss = np.exp(-0.5 * ((GRID_HZ - track[:, 5:6]) / track[:, 6:7]) ** 2) * rng.exponential(1.0, envelope.shape)
    return track[:, 3:4] ** 2 * pulses * envelope + 3.0 * track[:, 4:5] ** 2 * hiss


def features(label: str, rng: np.random.Generator) -> np.ndarray:
    """(49, 10, 1) float32 MFCCs of a new utterance of class `label`."""
    colour = rng.uniform(0.0, 1.2)
    floor = 10 ** rng.uniform(-4.0, -0.8) * (GRID_HZ / 1000.0) ** -colour
    power = floor * rng.exponential(1.0, (FRAMES, len(GRID_HZ)))
    if label != "silence":
        word = WORDS[label] if label in WORDS else UNKNOWN[rng.integers(len(UNKNOWN))]
        power += 10 ** rng.uniform(-0.5, 0.8) * spectra(word, rng)
    return (np.log(power @ MEL.T + 1e-6) @ DCT.T).astype(np.float32)[..., np.newaxis]


def dataset(per_class: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`per_class` utterances of every class, classes taking turns, and their labels."""
    labels = np.tile(np.arange(len(CLASSES)), per_class)
    return np.stack([features(CLASSES[label], rng) for label in labels]), labels


def network(tf: object) -> object:
    """The untrained DS-CNN."""
    layers = tf.keras.layers  # type: ignore[attr-defined]
    inputs = layers.Input((FRAMES, COEFFICIENTS, 1))
    x = layers.Conv2D(64, (10, 4), strides=2, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for _ in range(4):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(64, 1, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.2)(x)
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    outputs = layers.Dense(len(CLASSES), activation="softmax")(x)
    return tf.keras.Model(inputs, outputs)  # type: ignore[attr-defined]


def main() -> None:
    tf = deterministic(SEED)
    x_train, y_train = dataset(TRAINING, np.random.default_rng([SEED, 0]))
    x_test, y_test = dataset(VALIDATION, np.random.default_rng([SEED, 1]))
    model = network(tf)
    epochs, batch = 14, 64
    schedule = tf.keras.optimizers.schedules.CosineDecay(3e-3, decay_steps=epochs * len(x_train) // batch)
    model.compile(tf.keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, smoothed(y_train, len(CLASSES)), batch_size=batch, epochs=epochs, verbose=2)

    litert = write_model(
        HERE / "keyword_spotting.tflite",
        convert(model, [(1, FRAMES, COEFFICIENTS, 1)], ([x[np.newaxis]] for x in x_train[:240])),
    )
    float_scores = model.predict(x_test, verbose=0)
    write_held_out(HERE / "keyword_spotting_test.npz", litert, float_scores, x_test, y_test, COMMITTED * len(CLASSES))


if __name__ == "__main__":
    main()
