"""QUANTIZE from float32 and DEQUANTIZE to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from host_firmware import check_against_reference, run_on_host
from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.generate import generate
from mcu_harness.model.float_islands import FUNCTIONS
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planner import plan
from model_builder import ModelBuilder

CASES = 60


def near_the_halves(rng: np.random.Generator, scale: float) -> npt.NDArray[np.float32]:
    """[1, 1000] values whose quotient by `scale` is on or next to the middle between two integers, or anywhere."""
    middles = (rng.integers(-300, 300, 600) + 0.5).astype(np.float32) * np.float32(scale)
    shifted = np.nextafter(middles, rng.choice([-np.inf, np.inf], 600).astype(np.float32))
    anywhere = rng.normal(size=190) * scale * 100
    extremes = [0.0, -0.0, 1e-45, -1e-45, 1e-38, 2e6 * scale, -2e6 * scale, scale, -scale, 65536 * scale]
    return np.concatenate([middles[:200], shifted, anywhere, extremes])[np.newaxis].astype(np.float32)


def test_quantizing_rounds_as_the_reference_does(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=21)
    inputs = []
    for _ in range(CASES):
        scale = float(np.float32(10 ** builder.rng.uniform(-4, 2)))
        x = builder.input((1000,), dtype="float32")
        builder.output(builder.unary("QUANTIZE", x, scale=scale, zero_point=int(builder.rng.integers(-128, 128))))
        inputs.append(near_the_halves(builder.rng, scale))
    check_against_reference(builder, tmp_path, inputs=inputs)


def test_dequantizing_every_value_equals_the_reference(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=22)
    for _ in range(CASES):
        x = builder.input((256,), float(10 ** builder.rng.uniform(-6, 3)), int(builder.rng.integers(-128, 128)))
        builder.output(builder.dequantize(x))
    every_byte = np.arange(-128, 128).astype(np.int8)[np.newaxis]
    check_against_reference(builder, tmp_path, inputs=[every_byte] * CASES)


def test_unsigned_bytes_equal_the_reference(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=25)
    inputs: list[npt.NDArray[np.generic]] = []
    for _ in range(CASES // 2):
        scale, zero_point = float(np.float32(10 ** builder.rng.uniform(-4, 2))), int(builder.rng.integers(256))
        x = builder.input((1000,), dtype="float32")
        builder.output(builder.quantize(x, "uint8", scale=scale, zero_point=zero_point))
        inputs.append(near_the_halves(builder.rng, scale))
        builder.output(builder.dequantize(builder.input((256,), scale, zero_point, dtype="uint8")))
        inputs.append(np.arange(256).astype(np.uint8)[np.newaxis])
    check_against_reference(builder, tmp_path, inputs=inputs)


def test_unsigned_in_and_out_around_int8(tmp_path: Path) -> None:
    """What tf.lite.TFLiteConverter writes with inference_input_type and inference_output_type tf.uint8."""
    builder = ModelBuilder(seed=26)
    x = builder.input((1, 8, 8, 3), 0.02, 131, dtype="uint8")
    x = builder.unary("QUANTIZE", x, scale=0.02, zero_point=3)
    x = builder.conv_2d(x, channels=5, stride=(2, 2), activation="RELU")
    x = builder.softmax(builder.fully_connected(builder.reshape(x, (1, -1)), units=4))
    builder.output(builder.quantize(x, "uint8", scale=1 / 256, zero_point=0))
    check_against_reference(builder, tmp_path, share=True, samples=20)


def test_infinite_huge_and_undefined_inputs_saturate(tmp_path: Path) -> None:
    """Beyond 2^31 the reference's conversion is undefined and differs between processors: ours saturates everywhere."""
    builder = ModelBuilder(seed=23)
    x = builder.input((6,), dtype="float32")
    builder.output(builder.unary("QUANTIZE", x, scale=0.5, zero_point=9))
    path = tmp_path / "model.tflite"
    path.write_bytes(builder.build())
    graph = import_tflite(path)
    sources = generate(graph, plan(graph, share=False), "cortex-m0")
    values = np.array([[np.inf, -np.inf, 3e38, -3e38, np.nan, -np.nan]], np.float32)
    (got,) = run_on_host(graph, sources, [values], tmp_path)
    assert got.tolist() == [[127, -128, 127, -128, 9, 9]]


def test_float_in_and_out_around_int8(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=24)
    x = builder.unary("QUANTIZE", builder.input((1, 6, 6, 2), dtype="float32"), scale=0.03, zero_point=-3)
    x = builder.unary("RELU", x, scale=0.02, zero_point=-128)
    builder.output(builder.dequantize(builder.transpose(x, [0, 3, 1, 2])))
    check_against_reference(builder, tmp_path, share=True, samples=8)


ISLANDS: dict[str, dict[str, object]] = {
    "RELU": {}, "RELU6": {}, "RELU_N1_TO_1": {}, "LEAKY_RELU": {"alpha": 0.1}, "HARD_SWISH": {}, "ABS": {}, "NEG": {},
    "LOGISTIC": {}, "TANH": {}, "SQRT": {},
}  # fmt: skip


@pytest.mark.parametrize("operator", sorted(FUNCTIONS))
def test_a_function_between_floats_is_one_table(operator: str, tmp_path: Path) -> None:
    """As quantisers leave it that have no integer form for the function."""
    builder = ModelBuilder(3)
    for number, scale in enumerate((0.02, 0.004, 0.5)):
        zero_point = -128 if operator == "SQRT" else 20 * number - 30  # of negative numbers there is none
        x = builder.input((1, 16, 16), 0.03 * (number + 1), zero_point)
        inside = builder.tensor((1, 16, 16), None, dtype="float32")
        builder.operator(operator, [builder.dequantize(x)], inside, version=1, **ISLANDS[operator])
        builder.output(builder.quantize(inside, "int8", scale=scale, zero_point=7))
    check_against_reference(builder, tmp_path, samples=8)
    assert [layer.operator for layer in import_tflite(tmp_path / "model.tflite").layers] == [operator] * 3


def test_an_island_whose_inside_is_read_elsewhere_stays(tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    inside = builder.dequantize(builder.input((1, 16)))
    function = builder.operator("RELU", [inside], builder.tensor((1, 16), None, dtype="float32"), version=1)
    builder.output(builder.quantize(function, "int8"), inside)
    with pytest.raises(ModelError, match="layer 01 RELU"):
        import_tflite(builder.write(tmp_path / "m.tflite"))


def test_int16_edges_give_the_reference_outputs(tmp_path: Path) -> None:
    rng, builder = np.random.default_rng(8), ModelBuilder(8)
    for _ in range(30):
        wide = builder.input((1, 40), float(2.0 ** rng.uniform(-14, -2)), 0, dtype="int16")
        inside = builder.unary(
            "QUANTIZE", wide, scale=float(2.0 ** rng.uniform(-8, 4)), zero_point=int(rng.integers(-128, 128))
        )
        builder.output(
            builder.operator(
                "QUANTIZE", [inside], builder.tensor((1, 40), float(2.0 ** rng.uniform(-14, 3)), 0, dtype="int16")
            )
        )
    check_against_reference(builder, tmp_path, samples=6, share=True)
