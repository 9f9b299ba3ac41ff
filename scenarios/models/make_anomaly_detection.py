"""Anomaly detection: dense autoencoder in MLPerf Tiny's shape, trained on synthetic machine hum. NOT on ToyADMOS.

Shape (Banbury et al., "MLPerf Tiny Benchmark", 2021; the network is the baseline of DCASE 2020 task 2, Koizumi et al.):
640 inputs (5 frames of 128 log-mel bands), dense layers 128-128-128-128-8-128-128-128-128 with ReLU, 640 outputs.
264,192 multiply-accumulates. The model copies its input; what it copies badly is anomalous.

Stand-in data: log-mel power (dB) of four machines, each with rotation, gear mesh, resonances and broadband noise, its
speed and load drifting during a clip. Trained on healthy clips alone. Faults: a whining tone, knocking, a worn gear
(more mesh and sidebands), or a rising hiss. The committed windows carry `anomalous` (0 or 1), not `labels`: they are
no classes of the model's output.

Run: python scenarios/models/make_anomaly_detection.py   (about a minute)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from conversion import HERE, convert, deterministic, write_model, write_samples

SEED = 41
BANDS, CONTEXT = 128, 5
CLIP_FRAMES = 32
FAULTS = ("tone", "knock", "gear", "hiss")
TRAINING_CLIPS, VALIDATION_CLIPS, COMMITTED = 800, 200, 24
GRID_HZ = np.arange(1, 513) * (8000 / 512)
LINE_WIDTH_HZ = 14.0  # of a tone in a 64 ms window


class Machine(NamedTuple):
    """What tells one machine from another: speed in Hz, teeth, resonances (Hz), noise slope and level in dB."""

    rotation: float
    teeth: int
    resonances: tuple[float, float]
    slope: float
    noise_db: float


MACHINES = (
    Machine(48.0, 17, (900.0, 2600.0), 0.8, -14.0),
    Machine(61.0, 23, (1300.0, 4100.0), 1.1, -10.0),
    Machine(37.0, 31, (600.0, 3300.0), 0.5, -18.0),
    Machine(72.0, 13, (1800.0, 5200.0), 1.4, -12.0),
)


def mel_filters() -> np.ndarray:
    """(bands, grid) triangles of equal height, evenly spaced on the mel scale from 20 Hz to 8 kHz."""
    low, high = (1127.0 * np.log1p(hz / 700.0) for hz in (20.0, 8000.0))
    edges = 700.0 * np.expm1(np.linspace(low, high, BANDS + 2) / 1127.0)
    rising = (GRID_HZ - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - GRID_HZ) / (edges[2:] - edges[1:-1])[:, None]
    # The lowest triangles are narrower than the grid: the small floor keeps every band connected to something.
    return np.maximum(2e-3, np.minimum(rising, falling))


MEL = mel_filters()


def lines(frequencies: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """(frames, grid) power of tones; both arguments are (frames, tones)."""
    offset = (GRID_HZ[None, None, :] - frequencies[:, :, None]) / LINE_WIDTH_HZ
    return (powers[:, :, None] * np.exp(-0.5 * offset**2)).sum(axis=1)


def clip(fault: str | None, rng: np.random.Generator) -> np.ndarray:
    """(frames, bands) log-mel power in dB of a new clip of a random machine."""
    machine = MACHINES[rng.integers(len(MACHINES))]
    drift = 1.0 + 0.01 * np.cumsum(rng.normal(0, 0.25, CLIP_FRAMES)) + rng.normal(0, 0.01)
    load = 10 ** (0.1 * (rng.normal(0, 1.5) + rng.normal(0, 0.5, CLIP_FRAMES)))[:, None]
    rotation = machine.rotation * drift[:, None]
    harmonics, mesh = np.arange(1, 13), np.arange(1, 5)
    tones = lines(rotation * harmonics, load * 3.0 / harmonics**1.2)
    mesh_power = load * 1.5 / mesh * (2.5 if fault == "gear" else 1.0)
    tones += lines(rotation * machine.teeth * mesh, mesh_power)
    for side in (-1, 1):
        share = 0.3 if fault == "gear" else 0.08
        tones += lines(rotation * (machine.teeth * mesh + side), share * mesh_power)
    noise_db = machine.noise_db + rng.normal(0, 1.0) + (3.5 if fault == "hiss" else 0.0)
    noise = 10 ** (0.1 * noise_db) * (GRID_HZ / 1000.0) ** -machine.slope * np.ones((CLIP_FRAMES, 1))
    if fault == "knock":
        struck = rng.random(CLIP_FRAMES) < 0.2
        noise = noise * np.where(struck, rng.uniform(1.5, 6.0, CLIP_FRAMES), 1.0)[:, None]
    if fault == "tone":
        whine = rng.uniform(1500.0, 7000.0) * drift[:, None] * np.array([[1.0, 1.04, 0.96]])
        tones += lines(whine, load * np.array([[0.08, 0.02, 0.02]]))
    body = 1.0 + sum(8.0 / (1.0 + ((GRID_HZ - at) / 150.0) ** 2) for at in machine.resonances)
    # A spectrum estimated from one window is noisy; smoothing by the mel bands leaves a part of it.
    power = (tones + noise) * body * rng.gamma(4.0, 0.25, tones.shape)
    return 10.0 * np.log10(power @ MEL.T + 1e-5)


def windows(clip_db: np.ndarray) -> np.ndarray:
    """(frames - 4, 640) float32: every run of five frames, oldest frame first."""
    count = len(clip_db) - CONTEXT + 1
    return np.stack([clip_db[i : i + CONTEXT].reshape(-1) for i in range(count)]).astype(np.float32)


def clips(count: int, faulty_share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(count, windows, 640) and whether each clip is faulty; healthy and faulty clips mixed evenly."""
    faulty = (np.arange(count) * faulty_share) % 1.0 + faulty_share >= 1.0
    kinds = [FAULTS[rng.integers(len(FAULTS))] if bad else None for bad in faulty]
    return np.stack([windows(clip(kind, rng)) for kind in kinds]), faulty.astype(np.int32)


def auc(scores: np.ndarray, anomalous: np.ndarray) -> float:
    """Area under the ROC curve: how often a faulty one scores above a healthy one (Mann and Whitney)."""
    bad, good = scores[anomalous == 1][:, None], scores[anomalous == 0][None, :]
    return float(np.mean((bad > good) + 0.5 * (bad == good)))


def network(tf: object, mean: np.ndarray) -> object:
    """The untrained autoencoder; `mean` is where the last layer starts."""
    layers = tf.keras.layers  # type: ignore[attr-defined]
    inputs = layers.Input((BANDS * CONTEXT,))
    x = inputs
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(units, use_bias=False)(x)))
    start = tf.keras.initializers.Constant(mean)  # type: ignore[attr-defined]
    outputs = layers.Dense(BANDS * CONTEXT, bias_initializer=start)(x)
    return tf.keras.Model(inputs, outputs)  # type: ignore[attr-defined]


def main() -> None:
    tf = deterministic(SEED)
    healthy, _ = clips(TRAINING_CLIPS, 0.0, np.random.default_rng([SEED, 0]))
    x_train = healthy.reshape(-1, BANDS * CONTEXT)
    x_test, anomalous = clips(VALIDATION_CLIPS, 0.5, np.random.default_rng([SEED, 1]))
    model = network(tf, x_train.mean(axis=0))
    epochs, batch = 20, 128
    schedule = tf.keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=epochs * len(x_train) // batch)
    model.compile(tf.keras.optimizers.Adam(schedule), "mse")
    model.fit(x_train, x_train, batch_size=batch, epochs=epochs, verbose=2)

    # Faulty frames calibrate too: a detector that saturates on what it must find would be blind to it.
    strange, _ = clips(40, 1.0, np.random.default_rng([SEED, 2]))
    calibration = np.concatenate([x_train[::200], strange[:, ::8].reshape(-1, BANDS * CONTEXT)])
    litert = write_model(
        HERE / "anomaly_detection.tflite",
        convert(model, [(1, BANDS * CONTEXT)], ([x[np.newaxis]] for x in calibration)),
    )
    flat = x_test.reshape(-1, BANDS * CONTEXT)
    shape = (*x_test.shape[:2], -1)
    float_error = ((model.predict(flat, verbose=0) - flat) ** 2).reshape(shape).mean(axis=(1, 2))
    inputs = litert.quantize(flat)
    int8_error = ((litert.dequantize(litert.run(inputs)[0]) - flat) ** 2).reshape(shape).mean(axis=(1, 2))
    print(f"  AUC on {VALIDATION_CLIPS} new clips: float {auc(float_error, anomalous):.4f}, ", end="")
    print(f"LiteRT int8 {auc(int8_error, anomalous):.4f}; mean squared error healthy ", end="")
    print(f"{int8_error[anomalous == 0].mean():.1f} dB2, faulty {int8_error[anomalous == 1].mean():.1f} dB2")
    kept = inputs.reshape(shape)[:COMMITTED, 10]
    write_samples(HERE / "anomaly_detection_test.npz", inputs=kept, anomalous=anomalous[:COMMITTED])


if __name__ == "__main__":
    main()
