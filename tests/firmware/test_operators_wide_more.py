"""Further operators on int16 activations, and int32 into QUANTIZE, in random configurations, on this machine against LiteRT."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference
from mcu_harness.base.errors import ModelError
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.tflite_schema import TENSOR_TYPES
from model_builder import ModelBuilder

EVERY_VALUE = np.arange(-32768, 32768).astype(np.int16)[None, None]


def _wide(builder: ModelBuilder, shape: tuple[int, ...], scale: float) -> int:
    return builder.tensor(shape, scale, 0, dtype="int16")


@pytest.mark.parametrize("code", ["EXP", "LOG", "GELU", "RSQRT", "ABS", "NEG"])
def test_functions_of_every_value(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    rng = builder.rng
    for number in range(12):
        scale = float(2.0 ** rng.uniform(-16, -7)) if number > 2 else 2.0 ** -(11 + number)
        result = scale if number % 4 == 0 else float(2.0 ** rng.uniform(-16, -4))
        x = builder.input((1, 65536), scale, 0, dtype="int16")
        options = {"approximate": bool(number % 2)} if code == "GELU" else {}
        builder.output(builder.operator(code, [x], _wide(builder, (1, 65536), result), **options))
    values = np.maximum(EVERY_VALUE, 0) if code == "RSQRT" else EVERY_VALUE  # LiteRT does not run on negative ones
    check_against_reference(builder, tmp_path, inputs=[values] * 12, share=True)


@pytest.mark.parametrize("kind", [np.int64, np.int32, None])
def test_random_transposed_convolutions(kind: type | None, tmp_path: Path) -> None:
    builder = ModelBuilder(2)
    rng = builder.rng
    for number in range(12):
        n, h, w, c = (int(v) for v in rng.integers(1, (3, 6, 6, 6)))
        kernel, stride = [int(v) for v in rng.integers(1, 5, 2)], [int(v) for v in rng.integers(1, 4, 2)]
        padding = ("SAME", "VALID")[number % 2]
        size = [s * t if padding == "SAME" else (s - 1) * t + k for s, k, t in zip((h, w), kernel, stride, strict=True)]
        channels = int(rng.integers(1, 6))
        scales = (0.002 * 2.0 ** rng.uniform(-2, 2, channels if number % 3 else 1)).tolist()
        filters = builder.constant(rng.integers(-127, 128, (channels, *kernel, c)).astype(np.int8), scales, axis=0)
        x = builder.input((n, h, w, c), 0.0002, 0, dtype="int16")
        operands = [builder.constant([n, *size, channels]), filters, x]
        if kind is not None:
            bias = rng.integers(-(2**24), 2**24, channels).astype(kind)
            operands.append(builder.constant(bias, [0.0002 * scale for scale in scales]))
        spread = 0.0002 * max(scales) * 19000 * 73 * math.sqrt(math.prod(kernel) * c)
        named = {"quantized_bias_type": TENSOR_TYPES.index("int32")} if kind is np.int32 else {}
        out = builder.operator(
            "TRANSPOSE_CONV", operands, _wide(builder, (n, *size, channels), spread / 12000), version=5,
            stride_h=stride[0], stride_w=stride[1], padding=padding, fused_activation=("NONE", "RELU")[number % 2], **named,
        )  # fmt: skip
        builder.output(out)
    check_against_reference(builder, tmp_path, share=True)


def test_images_are_resized_in_straight_lines(tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    ends = np.array([-32768, 32767, 32767, -32768], np.int16)
    inputs = []
    for number, size in enumerate(((1, 1), (3, 5), (8, 8), (13, 2), (7, 7), (4, 16))):
        shape = (1, 1 + number, 4, 2)
        x = builder.input(shape, 0.001, 0, dtype="int16")
        modes = {"align_corners": number % 3 == 1, "half_pixel_centers": number % 3 == 2}
        out = _wide(builder, (1, *size, 2), 0.001)
        builder.output(builder.operator("RESIZE_BILINEAR", [x, builder.constant(list(size))], out, **modes))
        drawn = builder.rng.integers(-32768, 32768, (6, *shape)).astype(np.int16)
        inputs.append(np.concatenate([drawn, builder.rng.choice(ends, (6, *shape))]))
    check_against_reference(builder, tmp_path, inputs=inputs, share=True)


@pytest.mark.parametrize("code", ["ADD", "SUB"])
def test_scales_that_are_powers_of_two_are_added_by_shifts(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(4)
    for number, (first, second) in enumerate(((0, 0), (3, 0), (0, 1), (15, 0), (0, 14), (2, 0))):
        shape = (2, 3, 500)
        other = (1, 1, 500) if code == "SUB" and number % 2 else shape
        x = builder.input(shape, 2.0 ** -(11 + first), 0, dtype="int16")
        y = builder.input(other, 2.0 ** -(11 + second), 0, dtype="int16")
        if number == 5:
            y = builder.constant(builder.rng.integers(-32768, 32768, other).astype(np.int16), 2.0**-11)
        out = _wide(builder, shape, 2.0**-11)
        version = 2 if code == "ADD" else 3
        activation = ("NONE", "RELU", "RELU6")[number % 3]
        builder.output(builder.operator(code, [x, y], out, version=version, fused_activation=activation))
    builder.inputs = [x for x in builder.inputs if any(x in operator.inputs for operator in builder.operators)]
    check_against_reference(builder, tmp_path, share=True, samples=3)


@pytest.mark.parametrize(
    ("powers", "shapes"), [((0, 0, 1), ((1, 4), (1, 4))), ((1, 1, 0), ((1, 4), (1, 4))), ((0, 0, 0), ((3, 4), (1, 4)))]
)
def test_powers_of_two_that_litert_refuses_or_adds_out_of_bounds_are_refused(
    powers: tuple[int, ...], shapes: tuple[tuple[int, int], ...], tmp_path: Path
) -> None:
    builder = ModelBuilder(5)
    first, second, result = (2.0 ** -(11 + power) for power in powers)
    pair = [builder.input(shape, scale, 0, dtype="int16") for shape, scale in zip(shapes, (first, second), strict=True)]
    builder.output(builder.operator("ADD", pair, _wide(builder, shapes[0], result), version=2))
    with pytest.raises(ModelError, match="layer 00 ADD: pot_scale_int16"):
        import_tflite(builder.write(tmp_path / "m.tflite"))


def test_any_number_of_32_bits_is_quantised(tmp_path: Path) -> None:
    builder = ModelBuilder(6)
    rng = builder.rng
    inputs = []
    for number in range(24):
        dtype = ("int8", "int16")[number % 2]
        x = builder.tensor((500,), float(2.0 ** rng.uniform(-20, 3)), int(rng.integers(-1000, 1000)), dtype="int32")
        builder.inputs.append(x)
        point = int(rng.integers(-128, 128)) if dtype == "int8" else 0
        out = builder.tensor((500,), float(2.0 ** rng.uniform(-12, 3)), point, dtype=dtype)
        builder.output(builder.operator("QUANTIZE", [x], out))
        ratio = builder.tensors[out].scales[0] / builder.tensors[x].scales[0]
        near = rng.integers(-40000, 40000, (1, 400)) * ratio / 2
        far = rng.integers(-(2**31), 2**31, (1, 100))
        inputs.append(np.clip(np.concatenate([near, far], 1), -(2**31), 2**31 - 1).astype(np.int32))
    check_against_reference(builder, tmp_path, inputs=inputs)


@pytest.mark.parametrize("code", ["REDUCE_MAX", "REDUCE_MIN"])
def test_random_extremes(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(7)
    for number in range(8):
        shape = tuple(int(v) for v in builder.rng.integers(1, 6, 4))
        axes = sorted({int(v) for v in builder.rng.integers(0, 4, 1 + number % 3)})
        x = builder.input(shape, 0.001, 0, dtype="int16")
        kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
        out = _wide(builder, kept, 0.001)
        builder.output(builder.operator(code, [x, builder.constant(axes)], out, version=3, keep_dims=True))
    check_against_reference(builder, tmp_path, share=True)
