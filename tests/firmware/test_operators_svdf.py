"""SVDF on this machine over sequences: with a state of int16 against LiteRT, with one of int8 against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference, run_on_host
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.importers.tflite import import_tflite
from model_builder import ModelBuilder


def test_random_filters_give_the_reference_outputs_at_every_step(tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(2), ModelBuilder(2)
    for _ in range(20):
        shape = (int(rng.integers(1, 4)), int(rng.integers(1, 30)))
        x = builder.input(shape, float(0.02 * 2.0 ** rng.uniform(-3, 3)), int(rng.integers(-128, 128)))
        rank, memory = int(rng.integers(1, 4)), int(rng.integers(1, 9))
        builder.output(builder.svdf(x, int(rng.integers(1, 6)), rank=rank, memory=memory, state=(0.0005, 0)))
    check_against_reference(builder, tmp_path, samples=12, share=True)


@pytest.mark.parametrize("seed", range(4))
def test_a_state_of_int8_is_that_of_tensorflow_lite_micro(seed: int, tmp_path: Path) -> None:
    """LiteRT has no kernel for it, and does not notice: it takes the bytes for int16."""
    runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime")
    rng, builder = np.random.default_rng(seed), ModelBuilder(seed)
    x = builder.input((1, int(rng.integers(5, 30))), 0.02, int(rng.integers(-20, 20)))
    state = (float(0.02 * 2.0 ** rng.uniform(-2, 2)), int(rng.integers(-20, 20)))
    builder.output(builder.svdf(x, 6, rank=1, memory=int(rng.integers(1, 9)), wide=False, state=state))
    path = builder.write(tmp_path / "m.tflite")
    graph = import_tflite(path)
    inputs = make_inputs(graph, 1, 20)
    (got,) = run_on_host(graph, generate(graph, plan_memory(graph, "cortex-m4"), "cortex-m4"), inputs, tmp_path)
    interpreter = runtime.Interpreter.from_file(str(path), arena_size=1 << 16)
    for step, sample in enumerate(inputs[0]):
        interpreter.set_input(sample, 0)
        interpreter.invoke()
        assert np.array_equal(got[step], interpreter.get_output(0)), f"step {step}"
