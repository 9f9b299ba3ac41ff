"""LSTMs on this machine against LiteRT, over sequences: the state of one inference goes into the next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder


@pytest.mark.parametrize("seed", range(3))
def test_random_lstms_give_the_reference_outputs_at_every_step(seed: int, tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(seed), ModelBuilder(seed)
    for _ in range(12):
        shape = tuple(int(size) for size in rng.integers(1, 9, 3))
        x = builder.input(shape, float(0.02 * 2.0 ** rng.uniform(-3, 3)), int(rng.integers(-128, 128)))
        builder.output(
            builder.lstm(
                x,
                int(rng.integers(1, 12)),
                time_major=bool(rng.integers(2)),
                cell_scale=2.0 ** -int(rng.integers(11, 16)),
                clip=float(rng.choice([0.0, 0.7, 10.0])),
                state=(float(0.008 * 2.0 ** rng.uniform(-1, 1)), int(rng.integers(-40, 40))),
            )
        )
    check_against_reference(builder, tmp_path, samples=12, share=True)


def test_gates_at_the_ends_of_16_bits_give_the_reference_outputs(tmp_path: Path) -> None:
    """Large inputs saturate every gate, and with it the exponentials behind it."""
    builder = ModelBuilder(9)
    for scale in (0.5, 4.0, 60.0):
        builder.output(builder.lstm(builder.input((1, 6, 5), scale, 0), 8))
    check_against_reference(builder, tmp_path, samples=20)


def test_what_the_kernel_does_not_have_is_refused_with_its_tensor(tmp_path: Path) -> None:
    builder = ModelBuilder(9)
    builder.output(builder.lstm(builder.input((1, 6, 5)), 8))
    peephole = builder.constant(np.ones(8, np.int16), 0.1)
    operands = list(builder.operators[0].inputs)
    operands[9] = peephole
    builder.operators[0].inputs = tuple(operands)
    with pytest.raises(
        ModelError, match=f"layer 00 UNIDIRECTIONAL_SEQUENCE_LSTM: tensor {peephole} .* where nothing is supported"
    ):
        import_tflite(builder.write(tmp_path / "m.tflite"))
