"""Operators on int16 activations with weights of int8 ("16x8"), in random configurations, on this machine against LiteRT."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from host_firmware import check_against_reference, run_on_host
from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.operators.wide_products import factor_of
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planned import planned_sources
from mcu_harness.model.reference import run_reference
from mcu_harness.model.tflite_schema import TENSOR_TYPES
from model_builder import ModelBuilder
from model_file import ModelFile

Rng = np.random.Generator
EVERY_VALUE = np.arange(-32768, 32768).astype(np.int16)


def _input(builder: ModelBuilder, shape: tuple[int, ...], scale: float = 0.0002) -> int:
    return builder.input(shape, scale, 0, dtype="int16")


def _filter(builder: ModelBuilder, shape: tuple[int, ...], axis: int, per_channel: bool) -> tuple[int, list[float]]:
    rng = builder.rng
    scales = (0.002 * 2.0 ** rng.uniform(-2, 2, shape[axis] if per_channel else 1)).tolist()
    return builder.constant(rng.integers(-127, 128, shape).astype(np.int8), scales, axis=axis), scales


def _bias(builder: ModelBuilder, channels: int, scales: list[float], x: int, kind: type = np.int64) -> int:
    values = builder.rng.integers(-(2**24), 2**24, channels).astype(kind)
    return builder.constant(values, [builder.tensors[x].scales[0] * scale for scale in scales])


def _out(builder: ModelBuilder, shape: tuple[int, ...], x: int, scales: list[float], products: int) -> int:
    spread = builder.tensors[x].scales[0] * max(scales) * 19000 * 73 * math.sqrt(products)
    return builder.tensor(shape, spread / 12000, 0, dtype="int16")


def test_random_products_of_matrices(tmp_path: Path) -> None:
    """Both operands of int16, sums up to the ends of the range and beyond them; deep ones leave 32 bits."""
    builder = ModelBuilder(11)
    rng = builder.rng
    for number in range(32):
        adj_x, adj_y, constant = bool(number & 1), bool(number & 2), bool(number & 4)
        rows, depth, columns = (int(k) for k in rng.integers(1, 9, 3))
        depth = 400 if number > 28 else depth
        batches = tuple(int(k) for k in rng.integers(1, 4, number % 4))
        others = (1, *batches[1:]) if batches and number & 8 else batches
        first = (*batches, depth, rows) if adj_x else (*batches, rows, depth)
        second = (*others, columns, depth) if adj_y else (*others, depth, columns)
        x, scale = _input(builder, first), float(2.0 ** rng.uniform(-14, -8))
        values = rng.integers(-32768, 32768, second).astype(np.int16)
        y = builder.constant(values, scale) if constant else builder.input(second, scale, 0, dtype="int16")
        spread = 0.0002 * scale * 2.0**14 * math.sqrt(depth) * 2.0 ** rng.uniform(-2, 2)
        out = builder.tensor((*batches, rows, columns), float(spread), 0, dtype="int16")
        builder.output(builder.operator("BATCH_MATMUL", [x, y], out, version=3, adj_x=adj_x, adj_y=adj_y))
    check_against_reference(builder, tmp_path, samples=4, share=True)


def test_products_of_int16_and_weights_of_int8_are_refused_as_litert_computes_nothing(tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    weights = builder.constant(np.ones((4, 2), np.int8), 0.01)
    out = builder.tensor((3, 2), 0.01, 0, dtype="int16")
    operands = [_input(builder, (3, 4)), weights]
    builder.output(builder.operator("BATCH_MATMUL", operands, out, version=3, adj_x=False, adj_y=False))
    with pytest.raises(ModelError, match=r"layer 00 BATCH_MATMUL: .*int8"):
        import_tflite(builder.write(tmp_path / "m.tflite"))


@pytest.mark.parametrize("kind", [np.int64, np.int32])
@pytest.mark.parametrize("per_channel", [True, False])
def test_random_convolutions(kind: type, per_channel: bool, tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    rng = builder.rng
    for number in range(10):
        n, h, w, c = (int(v) for v in rng.integers(1, (3, 8, 8, 6)))
        kernel, stride = tuple(int(v) for v in rng.integers(1, 4, 2)), tuple(int(v) for v in rng.integers(1, 3, 2))
        padding = "SAME" if number % 2 or min(h, w) < max(kernel) else "VALID"
        x = _input(builder, (n, h, w, c))
        size = [
            -(-s // t) if padding == "SAME" else (s - k) // t + 1
            for s, k, t in zip((h, w), kernel, stride, strict=True)
        ]
        options = {
            "stride_h": stride[0], "stride_w": stride[1], "padding": padding, "dilation_h_factor": 1, "dilation_w_factor": 1,
            "fused_activation": ("NONE", "RELU", "RELU6")[number % 3],
        }  # fmt: skip
        filters, scales = _filter(builder, (5, *kernel, c), 0, per_channel)
        out = _out(builder, (n, *size, 5), x, scales, math.prod(kernel) * c)
        operands = [x, filters, _bias(builder, 5, scales, x, kind)]
        named = {"quantized_bias_type": TENSOR_TYPES.index("int32")} if kind is np.int32 else {}
        builder.output(builder.operator("CONV_2D", operands, out, version=5, **options, **named))
        if kind is np.int64:  # LiteRT's depthwise kernel has no other bias
            filters, scales = _filter(builder, (1, *kernel, 2 * c), 3, per_channel)
            out = _out(builder, (n, *size, 2 * c), x, scales, math.prod(kernel))
            operands = [x, filters, _bias(builder, 2 * c, scales, x)]
            builder.output(
                builder.operator("DEPTHWISE_CONV_2D", operands, out, version=5, depth_multiplier=2, **options)
            )
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("kind", [np.int64, np.int32, None])
@pytest.mark.parametrize("per_channel", [True, False])
def test_random_dense_layers_also_deeper_than_32_bits_hold(
    kind: type | None, per_channel: bool, tmp_path: Path
) -> None:
    builder = ModelBuilder(2)
    for depth in (1, 3, 64, 255, 256, 257, *(() if kind is np.int32 else (1500,))):
        x = _input(builder, (3, depth))
        filters, scales = _filter(builder, (9, depth), 0, per_channel)
        named = {"quantized_bias_type": TENSOR_TYPES.index("int32")} if kind is np.int32 else {}
        bias = [] if kind is None else [_bias(builder, 9, scales, x, kind)]
        out = _out(builder, (3, 9), x, scales, depth)
        builder.output(
            builder.operator("FULLY_CONNECTED", [x, filters, *bias], out, version=7, fused_activation="RELU", **named)
        )
    check_against_reference(builder, tmp_path, share=True, samples=20)


@pytest.mark.parametrize("code", ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"])
def test_random_pairs(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    rng = builder.rng
    options = {"pot_scale_int16": False} if code in ("ADD", "SUB") else {}
    for number in range(24):
        shape = tuple(int(v) for v in rng.integers(1, 6, 4))
        other = shape if number % 3 else (1, 1, 1, shape[3])
        scales = 0.0002 * 2.0 ** rng.uniform(-5, 5, 2)
        x, y = _input(builder, shape, float(scales[0])), _input(builder, other, float(scales[1]))
        out = float(scales.max() * 2.0 ** rng.uniform(-2, 3)) * (2.0 ** rng.uniform(-2, 10) if code == "MUL" else 1.0)
        activation = (
            {} if code in ("MAXIMUM", "MINIMUM") else {"fused_activation": ("NONE", "RELU", "RELU6")[number % 3]}
        )
        tensor = builder.tensor(shape, out, 0, dtype="int16")
        builder.output(
            builder.operator(code, [x, y], tensor, version=4 if code != "SUB" else 5, **options, **activation)
        )
    check_against_reference(builder, tmp_path, share=True)


def test_the_ends_of_the_range_are_added_and_multiplied_as_by_the_reference(tmp_path: Path) -> None:
    builder = ModelBuilder(4)
    ends = np.array([-32768, -32767, -1, 0, 1, 32766, 32767], np.int16)
    inputs: list[np.ndarray] = []
    for code, scale in (
        ("ADD", 0.0001),
        ("ADD", 1.0),
        ("SUB", 0.002),
        ("MUL", 1e-6),
        ("MUL", 0.1),
        ("MUL", 300.0),
        ("MUL", 3e4),
    ):
        x, y = _input(builder, (7, 1), 0.003), _input(builder, (1, 7), 0.0031)
        options = {} if code == "MUL" else {"pot_scale_int16": False}
        out = builder.tensor((7, 7), scale, 0, dtype="int16")
        builder.output(builder.operator(code, [x, y], out, version=5 if code == "SUB" else 4, **options))
        inputs += [ends[None, :, None], ends[None, None]]
    check_against_reference(builder, tmp_path, inputs=inputs)


@pytest.mark.parametrize("code", ["RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH"])
def test_functions_of_every_value(code: str, tmp_path: Path) -> None:
    builder = ModelBuilder(5)
    fixed = code in ("LOGISTIC", "TANH")
    for number in range(12):
        scale = float(2.0 ** builder.rng.uniform(-16, -7)) if number > 3 else 2.0 ** -(11 + number)
        result = 1 / 32768 if fixed else scale * float(2.0 ** builder.rng.uniform(-2, 3))
        options = {"alpha": float(builder.rng.choice([0.1, -0.5, 2.5]))} if code == "LEAKY_RELU" else {}
        x = _input(builder, (1, 65536), scale)
        version = 1 if code == "RELU" else 3 if code in ("LOGISTIC", "TANH") else 2
        builder.output(
            builder.operator(
                code, [x], builder.tensor((1, 65536), result, 0, dtype="int16"), version=version, **options
            )
        )
    check_against_reference(builder, tmp_path, inputs=[EVERY_VALUE[None, None]] * 12, share=True)


def test_random_rows_of_softmax(tmp_path: Path) -> None:
    builder = ModelBuilder(6)
    for depth in (1, 2, 3, 10, 100, 700):
        for beta in (1.0, 0.3):
            x = _input(builder, (3, depth), float(2.0 ** builder.rng.uniform(-14, -8)))
            out = builder.tensor((3, depth), 1 / 32768, 0, dtype="int16")
            builder.output(builder.operator("SOFTMAX", [x], out, beta=beta, version=3))
    check_against_reference(builder, tmp_path, share=True, samples=8)


def test_random_pools_and_means(tmp_path: Path) -> None:
    builder = ModelBuilder(7)
    rng = builder.rng
    for number in range(16):
        x = _input(builder, tuple(int(v) for v in rng.integers(3, 8, 4)))
        n, _, _, c = builder.shape(x)
        kind, padding = ("AVERAGE", "MAX")[number % 2], ("SAME", "VALID")[number // 2 % 2]
        activation = ("NONE", "RELU")[number // 4 % 2]
        builder.output(builder.pool(x, kind, kernel=(3, 2), stride=(2, 1), padding=padding, activation=activation))
        builder.operators[-1].version = 3
        out = builder.tensor((n, c), 0.0002 * float(2.0 ** rng.uniform(-2, 1)), 0, dtype="int16")
        builder.output(builder.operator("MEAN", [x, builder.constant([1, 2])], out, version=3))
    check_against_reference(builder, tmp_path, share=True)


@pytest.mark.parametrize("dtype", ["int16", "int32", "bool", "float32", "uint8"])
def test_elements_of_any_type_are_moved(dtype: str, tmp_path: Path) -> None:
    builder = ModelBuilder(8)
    scale = None if dtype in ("int32", "bool", "float32") else 0.05
    x = builder.input((2, 4, 6, 3), scale, 0, dtype=dtype)

    def tensor(*shape: int) -> int:
        return builder.tensor(shape, scale, 0, dtype=dtype)

    builder.output(builder.reshape(x, (8, -1)), builder.transpose(x, (0, 3, 1, 2)), builder.concatenation([x, x], 2))
    builder.output(
        builder.strided_slice(x, [0, 1, 5, 0], [2, 4, 0, 3], [1, 2, -2, 1]),
        *([] if dtype == "bool" else builder.split(x, 2, 3)),
    )
    builder.output(
        builder.operator(
            "SLICE", [x, builder.constant([0, 1, 2, 0]), builder.constant([2, 2, 3, 3])], tensor(2, 2, 3, 3)
        )
    )
    builder.output(builder.pad(x, [(0, 0), (1, 0), (2, 1), (0, 0)]), builder.squeeze(builder.expand_dims(x, 1), [1]))
    check_against_reference(builder, tmp_path, share=True)


def test_a_model_of_floats_outside_and_int16_inside(tmp_path: Path) -> None:
    builder = ModelBuilder(9)
    x = builder.quantize(builder.input((1, 6, 6, 2), dtype="float32"), "int16", scale=1 / 7000, zero_point=0)
    filters, scales = _filter(builder, (4, 3, 3, 2), 0, True)
    out = _out(builder, (1, 6, 6, 4), x, scales, 18)
    y = builder.operator(
        "CONV_2D", [x, filters, _bias(builder, 4, scales, x)], out, version=5, padding="SAME", fused_activation="RELU"
    )
    y = builder.reshape(builder.pool(y, "MAX"), (1, -1))
    builder.output(builder.dequantize(y), builder.dequantize(builder.reshape(x, (2, 36))))
    check_against_reference(builder, tmp_path, share=True, samples=10)


def test_a_zero_point_of_int16_is_refused(tmp_path: Path) -> None:
    builder = ModelBuilder(11)
    x = builder.input((1, 4), 0.001, 3, dtype="int16")
    builder.output(builder.operator("RELU", [x], builder.tensor((1, 4), 0.001, 0, dtype="int16")))
    with pytest.raises(ModelError, match="int16 must have zero point 0"):
        import_tflite(builder.write(tmp_path / "m.tflite"))


def test_factors_round_every_sum_as_a_product_of_doubles() -> None:
    rng = np.random.default_rng(12)
    for _ in range(60):
        scale = float(2.0 ** rng.uniform(-22, 0)) if rng.integers(4) else 2.0 ** -int(rng.integers(1, 20))
        reach = min(int(32768 / scale), 2**31)
        found = factor_of(scale, reach)
        assert found is not None
        factor, right = found
        middles = np.ceil((rng.integers(0, 32768, 200) - 0.5) / scale)
        for value in (int(middle) + offset for middle in middles for offset in (-1, 0, 1)):
            if 0 <= value <= reach:
                assert (value * factor + (1 << right - 1)) >> right == math.floor(value * scale + 0.5), (value, scale)


class _FloatModel(ModelFile):
    """Layers of float32, as a converter writes them before it quantises."""

    def layer(self, code: str, inputs: list[int], *shape: int, **options: object) -> int:
        return self.operator(code, inputs, self.tensor(shape, None, dtype="float32"), version=1, **options)

    def weights(self, *shape: int) -> int:
        return self.constant((self.rng.normal(size=shape) * 0.3).astype(np.float32))


def test_a_model_that_litert_s_own_quantiser_made_16x8(tmp_path: Path) -> None:
    calibration = pytest.importorskip("ai_edge_litert._pywrap_tensorflow_lite_calibration_wrapper")
    m = _FloatModel(seed=4)
    same = {"dilation_h_factor": 1, "dilation_w_factor": 1, "padding": "SAME"}
    x = m.input((1, 12, 12, 3), dtype="float32")
    x = m.layer(
        "CONV_2D",
        [x, m.weights(8, 3, 3, 3), m.weights(8)],
        1,
        6,
        6,
        8,
        stride_h=2,
        stride_w=2,
        fused_activation="RELU",
        **same,
    )
    y = m.layer(
        "DEPTHWISE_CONV_2D", [x, m.weights(1, 3, 3, 8), m.weights(8)], 1, 6, 6, 8, fused_activation="RELU6", **same
    )
    z = m.layer("ADD", [x, y], 1, 6, 6, 8)
    u = m.layer("MUL", [z, m.layer("LOGISTIC", [z], 1, 6, 6, 8)], 1, 6, 6, 8)
    c = m.layer("LEAKY_RELU", [m.layer("CONCATENATION", [u, y], 1, 6, 6, 16, axis=3)], 1, 6, 6, 16, alpha=0.1)
    window = {"filter_height": 2, "filter_width": 2, "stride_h": 2, "stride_w": 2, "padding": "VALID"}
    t = m.layer("TANH", [m.layer("AVERAGE_POOL_2D", [c], 1, 3, 3, 16, **window)], 1, 3, 3, 16)
    mean = m.layer("MEAN", [t, m.constant([1, 2])], 1, 16, keep_dims=False)
    flat = m.layer("RESHAPE", [t, m.constant([1, 144])], 1, 144, new_shape=[1, 144])
    dense = m.layer("FULLY_CONNECTED", [flat, m.weights(16, 144), m.weights(16)], 1, 16, fused_activation="RELU")
    m.output(m.layer("SOFTMAX", [m.layer("SUB", [dense, mean], 1, 16)], 1, 16, beta=1.0))
    content = m.build()  # the quantiser looks at it and keeps no reference
    quantiser = calibration.CalibrationWrapper(content, [], [])
    quantiser.Prepare([[1, 12, 12, 3]])
    for _ in range(20):
        quantiser.FeedTensor([m.rng.normal(size=(1, 12, 12, 3)).astype(np.float32)])
    int16, int64 = np.dtype(np.int16).num, np.dtype(np.int64).num
    path = tmp_path / "quantised.tflite"
    path.write_bytes(quantiser.QuantizeModel(int16, int16, False, int16, int64, False, False))
    graph = import_tflite(path)
    assert {graph.tensors[layer.outputs[0]].dtype for layer in graph.layers} == {"int16"}
    inputs = make_inputs(graph, 1, 8)
    planned = planned_sources(graph, "cortex-m0+")
    (got,) = run_on_host(planned.graph, planned.sources, inputs, tmp_path)
    assert np.array_equal(got, run_reference(path, graph, inputs).outputs[0])
