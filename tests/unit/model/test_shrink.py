"""Smaller models without training: what is taken out, that outputs stay what they were where they can, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import onnx
import onnxruntime
from onnx import numpy_helper

from float_models import calibration_file, float_tflite
from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import ModelError
from mcu_harness.model.convert.shrink.methods import METHODS, SAVES_NOTHING
from mcu_harness.model.convert.workers import onnx_shrink
from mcu_harness.model.shrunk import shrunk_model
from mcu_harness.scenario.quantize import QuantizeSpec
from model_builder import ModelBuilder
from onnx_models import OnnxBuilder


def int8_net() -> ModelBuilder:
    builder = ModelBuilder(seed=2)
    builder.output(builder.fully_connected(builder.input((1, 8)), units=4))
    return builder


def shrink(model: Path, *methods: str, share: float = 0.5, energy: float = 0.95) -> tuple[Path, dict[str, Any]]:
    output = model.with_name("smaller.onnx")
    request = {"model": str(model), "output": str(output), "methods": methods, "share": share, "energy": energy}
    return output, onnx_shrink.shrink({**request, "calibration": None, "count": None})


def outputs(path: Path, count: int = 8) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path))
    (given,) = session.get_inputs()
    samples = np.random.default_rng(9).normal(size=(count, *given.shape)).astype(np.float32)
    return np.stack([session.run(None, {given.name: sample})[0] for sample in samples])


def filters(path: Path) -> list[tuple[int, ...]]:
    """Shapes of the weights of layers, in order."""
    model = onnx.load(path)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    kinds = ("Conv", "Gemm", "MatMul")
    return [constants[node.input[1]].shape for node in model.graph.node if node.op_type in kinds]


class Weights(OnnxBuilder):
    """A builder whose filters can be changed as they are made: `changed(filters, bias)` for each convolution."""

    def __init__(self, changed: Callable[[np.ndarray, np.ndarray], None] = lambda w, b: None) -> None:
        super().__init__(seed=1)
        self.changed = changed

    def layer(self, x: str, channels: tuple[int, int], kernel: int = 3, **attributes: Any) -> str:
        inner = channels[0] // attributes.get("group", 1)
        weights = self.rng.normal(size=(channels[1], inner, kernel, kernel)).astype(np.float32)
        bias = self.rng.normal(size=channels[1]).astype(np.float32)
        if attributes.get("group", 1) == 1:
            self.changed(weights, bias)
        pads = [kernel // 2] * 4
        return self.node("Conv", x, self.constant(weights), self.constant(bias), pads=pads, **attributes)


def chain(path: Path, changed: Callable[[np.ndarray, np.ndarray], None], tail: str = "flatten") -> Path:
    """Two convolutions, ReLU, pooling, and a dense layer on what lies flat, on means, or on a reshaped or turned tensor."""
    b = Weights(changed)
    x = b.node("Relu", b.layer(b.input("image", (1, 2, 8, 8)), (2, 8)))
    x = b.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = b.node("Relu", b.layer(x, (8, 6)))
    if tail == "mean":
        x, features = b.node("Flatten", b.node("GlobalAveragePool", x), axis=1), 6
    elif tail == "squeeze":  # as tf2onnx writes a mean
        x, features = b.node("Squeeze", b.node("GlobalAveragePool", x), b.constant(np.array([2, 3]))), 6
    elif tail == "turned":
        x = b.node("Transpose", b.node("Relu", b.node("Transpose", x, perm=[0, 2, 3, 1])), perm=[0, 3, 1, 2])
        x, features = b.node("Flatten", x, axis=1), 96
    else:
        features = 6 * 16
        x = b.node("Flatten", x, axis=1) if tail == "flatten" else b.node("Reshape", x, b.constant(np.array([1, 96])))
    dense = b.constant(b.rng.normal(size=(5, features)) / np.sqrt(features))
    b.output(b.node("Gemm", x, dense, b.constant(np.zeros(5)), transB=1))
    return b.write(path)


def first_two_dead(weights: np.ndarray, bias: np.ndarray) -> None:
    weights[:2], bias[:2] = 0, -1


def two_the_same(weights: np.ndarray, bias: np.ndarray) -> None:
    weights[3], bias[3] = weights[1], bias[1]


def half_tiny(weights: np.ndarray, bias: np.ndarray) -> None:
    weights[::2] *= 1e-6
    bias[::2] *= 1e-6


TAILS = ("flatten", "mean", "reshape", "squeeze", "turned")


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(
    ("changed", "method", "shapes"),
    [
        (first_two_dead, "dead-channels", [(6, 2, 3, 3), (4, 6, 3, 3)]),
        (two_the_same, "duplicate-channels", [(7, 2, 3, 3), (5, 7, 3, 3)]),
        (half_tiny, "prune", [(4, 2, 3, 3), (3, 4, 3, 3)]),
    ],
)
def test_channels_that_do_nothing_leave_and_outputs_stay(
    tmp_path: Path, changed: Callable[[np.ndarray, np.ndarray], None], method: str, shapes: list[Any], tail: str
) -> None:
    model = chain(tmp_path / "net.onnx", changed, tail)
    smaller, answer = shrink(model, method)
    assert filters(smaller)[:2] == shapes
    assert filters(smaller)[2] == (5, shapes[1][0] * (1 if tail in ("mean", "squeeze") else 16))
    np.testing.assert_allclose(outputs(smaller), outputs(model), rtol=1e-3, atol=1e-4)
    assert answer["after"][0] < answer["before"][0] and answer["after"][1] < answer["before"][1]
    assert sum(line.startswith(f"{method}: ") and "channels" in line for line in answer["said"]) >= 2


def test_a_channel_with_a_bias_that_shows_is_not_dead(tmp_path: Path) -> None:
    def constant(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[:2], bias[:2] = 0, 1

    model = chain(tmp_path / "net.onnx", constant)
    smaller, answer = shrink(model, "dead-channels")
    assert filters(smaller) == filters(model)
    assert answer["said"][0] == "dead-channels: no channel is always 0 or read by nothing" and answer["sqnr_db"] is None


def test_channels_that_nothing_looks_at_leave(tmp_path: Path) -> None:
    b = Weights()
    x = b.node("Sigmoid", b.layer(b.input("image", (1, 2, 4, 4)), (2, 4)))
    weights = b.rng.normal(size=(3, 4, 1, 1))
    weights[:, 2] = 0
    b.output(b.node("Conv", x, b.constant(weights)))
    model = b.write(tmp_path / "net.onnx")
    smaller, _ = shrink(model, "dead-channels")
    assert filters(smaller) == [(3, 2, 3, 3), (3, 3, 1, 1)]
    np.testing.assert_allclose(outputs(smaller), outputs(model), rtol=1e-4, atol=1e-5)


def residual(path: Path) -> Path:
    """An inverted bottleneck as MobileNetV2 has it: expansion, depthwise, projection, and the way around them."""
    b = Weights(half_tiny)
    start = b.layer(b.input("image", (1, 2, 8, 8)), (2, 4))
    x = b.node("Clip", b.layer(start, (4, 12), 1), b.constant(np.float32(0)), b.constant(np.float32(6)))
    x = b.node("Clip", b.layer(x, (12, 12), group=12), b.constant(np.float32(0)), b.constant(np.float32(6)))
    x = b.node("Add", b.layer(x, (12, 4), 1), start)
    b.output(b.layer(x, (4, 3), 1))
    return b.write(path)


def test_layers_that_are_added_lose_the_same_channels_and_depthwise_layers_follow(tmp_path: Path) -> None:
    model = residual(tmp_path / "net.onnx")
    smaller, answer = shrink(model, "prune")
    assert filters(smaller) == [(2, 2, 3, 3), (6, 2, 1, 1), (6, 1, 3, 3), (2, 6, 1, 1), (3, 2, 1, 1)]
    together = next(line for line in answer["said"] if " + " in line)
    assert "4 -> 2 channels" in together
    assert any("keeps its channels: they are an output of the model" in line for line in answer["said"])
    assert outputs(smaller).shape == outputs(model).shape


def test_where_channels_go_where_nothing_is_known_they_stay_and_the_layer_is_named(tmp_path: Path) -> None:
    b = Weights()
    x = b.input("image", (1, 2, 4, 4))
    x = b.node("Concat", b.layer(x, (2, 4)), b.layer(x, (2, 4)), axis=1)
    b.output(b.layer(x, (8, 3)))
    model = b.write(tmp_path / "net.onnx")
    smaller, answer = shrink(model, "prune")
    assert filters(smaller) == filters(model)
    assert sum("keeps its channels: Concat" in line for line in answer["said"]) == 2


def of_rank(rank: int, outputs: int, inputs: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.normal(size=(outputs, rank)) @ rng.normal(size=(rank, inputs)) / np.sqrt(inputs)


def dense_layers(path: Path, rank: int) -> Path:
    """A 1x1 convolution with strides, a Gemm, a Gemm the other way round, and a MatMul, each of weights of `rank`."""
    b = OnnxBuilder(1)
    weights = of_rank(rank, 24, 16).reshape(24, 16, 1, 1)
    x = b.node("Conv", b.input("image", (1, 16, 4, 4)), b.constant(weights), b.constant(np.ones(24)), strides=[2, 2])
    x = b.node("Flatten", x, axis=1)
    x = b.node("Gemm", x, b.constant(of_rank(rank, 40, 96)), b.constant(np.ones(40)), transB=1)
    x = b.node("Gemm", x, b.constant(of_rank(rank, 32, 40).T), b.constant(np.ones(32)))
    b.output(b.node("MatMul", x, b.constant(of_rank(rank, 30, 32).T)))
    return b.write(path)


def test_layers_of_low_rank_become_two_smaller_ones_with_the_same_outputs(tmp_path: Path) -> None:
    model = dense_layers(tmp_path / "net.onnx", rank=3)
    smaller, answer = shrink(model, "low-rank", energy=0.999999)
    found = filters(smaller)
    assert [shape[:2] for shape in found] == [(3, 16), (24, 3), (3, 96), (40, 3), (3, 40), (32, 3), (32, 3), (3, 30)]
    np.testing.assert_allclose(outputs(smaller), outputs(model), rtol=1e-3, atol=1e-4)
    weights = 24 * 16 + 40 * 96 + 32 * 40 + 30 * 32
    fewer = 3 * (24 + 16 + 40 + 96 + 32 + 40 + 30 + 32)
    biases = (24 + 40 + 32, 24 + 40 + 32 + 3 + 3)
    assert (answer["before"][0], answer["after"][0]) == (weights + biases[0], fewer + biases[1])
    assert all("rank 3" in line for line in answer["said"])


def test_layer_that_would_become_larger_stays_and_is_named(tmp_path: Path) -> None:
    model = dense_layers(tmp_path / "net.onnx", rank=16)
    smaller, answer = shrink(model, "low-rank", energy=1.0)
    assert filters(smaller)[0] == (24, 16, 1, 1)
    assert "stays: rank 16 of 16" in answer["said"][0]


def test_zeros_and_shared_values_are_told_to_save_nothing(tmp_path: Path) -> None:
    def sparse(weights: np.ndarray, bias: np.ndarray) -> None:
        weights[:] = np.where(np.abs(weights) > 1, np.sign(weights), 0)

    _, answer = shrink(chain(tmp_path / "net.onnx", sparse), "duplicate-channels")
    told = [line for line in answer["said"] if "saves nothing" in line]
    assert len(told) == 2 and "% of the weights are 0" in told[0] and "at most 16 different values" in told[1]


@pytest.mark.parametrize(
    ("methods", "model", "output", "said"),
    [
        (["zero-weights"], "net.onnx", "o.onnx", "save nothing"),
        (["cluster"], "net.onnx", "o.onnx", "save nothing"),
        (["int4"], "net.onnx", "o.onnx", "int4 makes a quantised model"),
        (["int4", "16x8"], "net.onnx", "o.tflite", "no kernel computes both"),
        (["per-tensor"], "int8.tflite", "o.tflite", "this is int8 already"),
        (["prun"], "net.onnx", "o.onnx", "no method is called 'prun'"),
        ([], "net.onnx", "o.onnx", "no method"),
        (["prune"], "int8.tflite", "o.onnx", "prune changes float models"),
        (["per-tensor"], "net.onnx", "o.onnx", "makes a quantised model"),
        (["prune"], "net.onnx", "o.keras", "neither .onnx nor .tflite"),
        (["prune"], "none.onnx", "o.onnx", "none.onnx"),
        (["per-tensor"], "net.onnx", "o.tflite", "no calibration samples"),
        (["prune"], "damaged.onnx", "o.onnx", "damaged.onnx: not an ONNX file"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name_and_nothing_is_written(
    tmp_path: Path, methods: list[str], model: str, output: str, said: str
) -> None:
    chain(tmp_path / "net.onnx", two_the_same)
    (tmp_path / "net.tflite").write_bytes(float_tflite().build())
    (tmp_path / "int8.tflite").write_bytes(int8_net().build())
    (tmp_path / "damaged.onnx").write_bytes(b"no")
    with pytest.raises(ModelError, match=said):
        shrunk_model(tmp_path / model, methods, tmp_path / output, QuantizeSpec(), lambda _: None)
    assert not (tmp_path / output).exists()


@pytest.mark.parametrize(("share", "energy"), [(0.0, 0.9), (1.0, 0.9), (0.5, 0.0), (0.5, 1.1), (float("nan"), 0.9)])
def test_shares_are_parts_of_one(tmp_path: Path, share: float, energy: float) -> None:
    model = chain(tmp_path / "net.onnx", two_the_same)
    with pytest.raises(ModelError, match="parts of 1"):
        shrunk_model(model, ["prune"], tmp_path / "o.onnx", QuantizeSpec(), lambda _: None, share=share, energy=energy)


def test_methods_have_a_step_each_and_none_is_also_refused() -> None:
    structural = {name for name, method in METHODS.items() if method.structural}
    assert structural == set(onnx_shrink._STEPS)
    assert not METHODS.keys() & SAVES_NOTHING.keys()


def command(capsys: pytest.CaptureFixture[str], words: Sequence[object]) -> str:
    assert main(["shrink", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_command_prunes_quantises_and_says_what_it_saves_on_a_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = residual(tmp_path / "net.onnx")
    samples = np.random.default_rng(2).normal(size=(16, 2, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "typical.npz", inputs=samples)
    words = [model, "--method=prune", "--method=per-tensor", f"--calibration={tmp_path / 'typical.npz'}"]
    said = command(capsys, [*words, f"--output={tmp_path / 'o.tflite'}", "--board=nucleo_g071rb", "--emulator=unicorn"])
    assert "parameters: " in said and "quantised per tensor" in said and "16 calibration samples" in said
    assert "shrink on nucleo_g071rb" in said and "after against before" in said
    assert (tmp_path / "o.tflite").read_bytes()[4:8] == b"TFL3"


@pytest.mark.parametrize(
    ("scheme", "said"), [("16x8", "twice the RAM"), ("int4", "firmware stores each weight in a byte")]
)
def test_command_writes_other_numbers_and_firmware_of_them_is_right_to_the_bit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], scheme: str, said: str
) -> None:
    model = float_tflite().write(tmp_path / "net.tflite")
    samples = calibration_file(tmp_path / "c.npz")
    labels = np.random.default_rng(4).integers(0, 5, 32)
    np.savez(tmp_path / "data.npz", inputs=np.load(samples)["inputs"], labels=labels)
    words = [model, f"--method={scheme}", f"--calibration={samples}", f"--output={tmp_path / 'o.tflite'}"]
    told = command(capsys, words)
    assert said in told and "dB on 32 calibration samples" in told and "--dataset FILE.npz" in told
    told = command(
        capsys, [*words, f"--dataset={tmp_path / 'data.npz'}", "--board=nucleo_g071rb", "--emulator=unicorn"]
    )
    assert "% in float" in told and "not compared:" not in told and "layers that changed most" in told


def test_command_without_calibration_says_that_only_costs_are_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = chain(tmp_path / "net.onnx", two_the_same)
    words = [model, "--method=duplicate-channels", f"--output={tmp_path / 'o.onnx'}", "--emulator=unicorn"]
    assert "add --board NAME" in command(capsys, words)
    said = command(capsys, [*words, "--board=nucleo_g071rb"])
    assert "random samples" in said and "costs are right, SQNR and accuracy mean nothing" in said
