"""Data movement, tables, MEAN and the float borders on emulated cores, with and without FPU."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_builder import ModelBuilder

from harness.cases import Options, case_of_model
from harness.records import Verdict
from harness.session import Session
from harness.toolchain import Toolchain

INPUTS = 20
BOARDS = ["stm32f072b_disco", "nucleo_g071rb", "nucleo_f103rb", "stm32f4_discovery", "nucleo_h753zi", "nucleo_l552ze_q"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Float in, float out, and every operator of these families in between, with runs of one byte, words and more."""
    builder = ModelBuilder(seed=41)
    x = builder.unary("QUANTIZE", builder.input((1, 7, 9, 6), dtype="float32"), scale=0.037, zero_point=-11)
    x = builder.pad(x, [(0, 0), (1, 2), (0, 1), (1, 1)])
    x = builder.unary("HARD_SWISH", builder.unary("LEAKY_RELU", x, alpha=0.3), scale=0.03, zero_point=-90)
    x = builder.strided_slice(x, [0, -1, 0, 0], [1, 0, 10, 8], [1, -2, 1, 1])
    first, second = builder.split(x, 3, 2)
    first = builder.transpose(first, [0, 3, 1, 2])
    second = builder.transpose(builder.pad(second, [(0, 0)] * 4, 5), [0, 3, 1, 2])
    x = builder.concatenation([first, second, first], 1)
    x = builder.resize_nearest_neighbor(x, (9, 7), half_pixel_centers=True)
    x = builder.unary("RELU6", builder.unary("RELU", x, scale=0.05, zero_point=-128), scale=0.024, zero_point=-128)
    builder.output(builder.dequantize(builder.mean(x, [1, 2], scale=0.02, zero_point=-100)))
    builder.output(builder.dequantize(builder.tanh(builder.mean(x, [3], keep_dims=True))))
    builder.output(builder.logistic(builder.unary("QUANTIZE", x, scale=0.08, zero_point=40)))
    path = tmp_path_factory.mktemp("models") / "data_and_float.tflite"
    path.write_bytes(builder.build())
    return path


@pytest.mark.parametrize("board", BOARDS)
def test_outputs_equal_the_reference_on_every_core(model: Path, board: str, toolchain: Toolchain) -> None:
    case = case_of_model(model, board, limits={}, seed=5, count=INPUTS)
    result = Session().run(case, Options(emulator="unicorn", toolchain=toolchain.name))
    assert result.verdict is Verdict.PASS, [finding.message for finding in result.findings]
    assert (result.outputs.inputs, result.outputs.mismatches) == (INPUTS, 0)
