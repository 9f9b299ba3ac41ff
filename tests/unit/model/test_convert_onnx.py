"""ONNX to int8 .tflite: every operator against onnxruntime, whose QDQ model is the same arithmetic in another rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
interpreter = pytest.importorskip("ai_edge_litert.interpreter")

from mcu_harness.model.convert.float_onnx import prepared, quantised, ranges, session  # noqa: E402
from mcu_harness.model.convert.qdq import operators  # noqa: E402
from mcu_harness.model.convert.qdq.importer import HANDLERS, Importer  # noqa: E402
from mcu_harness.model.convert.qdq.reader import read  # noqa: E402
from mcu_harness.model.convert.refusal import Refusal  # noqa: E402
from mcu_harness.model.importers.tflite import import_tflite  # noqa: E402
from onnx_cases import CASES  # noqa: E402
from onnx_models import OnnxBuilder  # noqa: E402
from qdq_models import QdqBuilder, small_net  # noqa: E402

assert operators.__all__
SAMPLES = 24


def samples_for(model: Any) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    constants = {constant.name for constant in model.graph.initializer}
    shapes = [
        tuple(d.dim_value for d in tensor.type.tensor_type.shape.dim)
        for tensor in model.graph.input
        if tensor.name not in constants
    ]
    return [rng.normal(size=(SAMPLES, *shape)).astype(np.float32) for shape in shapes]


def in_onnxruntime(path: Path, samples: list[np.ndarray]) -> list[np.ndarray]:
    running = session(path)
    names = [tensor.name for tensor in running.get_inputs()]
    runs = [running.run(None, dict(zip(names, sample, strict=True))) for sample in zip(*samples, strict=True)]
    return [np.stack(values) for values in zip(*runs, strict=True)]


def in_litert(content: bytes, facts: dict[str, Any], samples: list[np.ndarray]) -> list[tuple[np.ndarray, float]]:
    """(values in the original's layout, output scale) of every output; BUILTIN_REF."""
    litert = interpreter.Interpreter(
        model_content=content, experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF
    )
    litert.allocate_tensors()
    found: list[list[np.ndarray]] = [[] for _ in facts["outputs"]]
    for sample in zip(*samples, strict=True):
        for detail, values, (_, _, order) in zip(litert.get_input_details(), sample, facts["inputs"], strict=True):
            scale, point = detail["quantization"]
            moved = values.transpose(order) if order else values
            litert.set_tensor(detail["index"], np.clip(np.round(moved / scale) + point, -128, 127).astype(np.int8))
        litert.invoke()
        for results, detail, (_, _, order) in zip(found, litert.get_output_details(), facts["outputs"], strict=True):
            scale, point = detail["quantization"]
            values = (litert.get_tensor(detail["index"]).astype(np.float64) - point) * scale
            results.append(values.transpose(np.argsort(order)) if order else values)
    scales = [float(detail["quantization"][0]) for detail in litert.get_output_details()]
    return [(np.stack(values), scale) for values, scale in zip(found, scales, strict=True)]


def convert(builder: OnnxBuilder, folder: Path, *, per_channel: bool = True, method: str = "minmax") -> tuple[Any, ...]:
    model = prepared(read(builder.write(folder / "given.onnx")), folder)
    onnx.save(model, str(folder / "prepared.onnx"))
    samples = samples_for(model)
    qdq = quantised(model, samples, folder, method=method, per_channel=per_channel)
    onnx.save(qdq, str(folder / "qdq.onnx"))
    content, facts = Importer(qdq).convert()
    return content, facts, samples


@pytest.mark.parametrize("name", CASES)
def test_each_operator_computes_what_onnxruntime_does(name: str, tmp_path: Path) -> None:
    builder = OnnxBuilder(seed=len(name))
    CASES[name](builder)
    content, facts, samples = convert(builder, tmp_path)
    (tmp_path / "int8.tflite").write_bytes(content)
    floats = in_onnxruntime(tmp_path / "prepared.onnx", samples)
    simulated = in_onnxruntime(tmp_path / "qdq.onnx", samples)
    for (got, scale), expected, exact in zip(in_litert(content, facts, samples), simulated, floats, strict=True):
        assert got.shape == expected.shape == exact.shape
        apart = np.abs(got - expected) / scale
        assert apart.max() <= 8, f"{apart.max()} steps from the QDQ model"  # one step of the first layer, scaled up
        assert np.mean(apart > 1.01) <= 0.03
        noise = np.mean((got - exact) ** 2)
        assert 10 * np.log10(np.mean(exact**2) / noise) > 25, "far from the float model"


@pytest.mark.parametrize("name", CASES)
def test_each_operator_is_taken_by_the_importer(name: str, tmp_path: Path) -> None:
    builder = OnnxBuilder(seed=3)
    CASES[name](builder)
    content, facts, _ = convert(builder, tmp_path)
    (tmp_path / "int8.tflite").write_bytes(content)
    graph = import_tflite(tmp_path / "int8.tflite")
    for indices, layouts in ((graph.inputs, facts["inputs"]), (graph.outputs, facts["outputs"])):
        for index, (_, shape, order) in zip(indices, layouts, strict=True):
            assert graph.tensors[index].shape == (tuple(shape[axis] for axis in order) if order else shape)


def test_there_is_a_case_for_every_operator_that_the_kernels_know() -> None:
    """Handlers whose TFLite operators have no kernels here yet are exempt, by name."""
    covered = set()
    for build in CASES.values():
        builder = OnnxBuilder()
        build(builder)
        covered |= {node.op_type for node in builder.nodes}
    without = {
        "ConvTranspose", "Elu", "Gelu", "LogSoftmax", "Min", "Max", "ReduceSum", "ReduceMax", "ReduceMin",
        "DepthToSpace", "SpaceToDepth", "Expand", "Upsample",
    }  # fmt: skip
    assert HANDLERS.keys() - covered - without == set()


# ---- models that come quantised ----


def import_qdq(builder: OnnxBuilder, folder: Path) -> tuple[bytes, dict[str, Any], Path]:
    path = builder.write(folder / "qdq.onnx")
    return *Importer(read(path)).convert(), path


def steps_apart(builder: OnnxBuilder, folder: Path) -> np.ndarray:
    content, facts, path = import_qdq(builder, folder)
    samples = samples_for(read(path))
    ((got, scale),) = in_litert(content, facts, samples)
    return np.abs(got - in_onnxruntime(path, samples)[0]) / scale


@pytest.mark.parametrize("style", ["plain", "unsigned", "narrow", "one scale"])
def test_models_of_several_quantisers_keep_their_scales(style: str, tmp_path: Path) -> None:
    builder = QdqBuilder(seed=4)
    builder.unsigned, builder.narrow = style == "unsigned", style == "narrow"
    small_net(builder, **({"axis": None} if style == "one scale" else {}))
    apart = steps_apart(builder, tmp_path)
    assert apart.max() <= 1.01 and np.mean(apart > 0.01) < 0.1
    graph_path = tmp_path / "a.tflite"
    graph_path.write_bytes(import_qdq(builder, tmp_path)[0])
    graph = import_tflite(graph_path)
    assert [layer.operator for layer in graph.layers] == ["CONV_2D", "MEAN", "RESHAPE", "FULLY_CONNECTED"]
    given, last = graph.tensors[graph.inputs[0]].quantization, graph.tensors[graph.outputs[0]].quantization
    assert given is not None and last is not None
    assert (np.float32(given.scales[0]), given.zero_points[0]) == (np.float32(0.03), 5)
    assert (np.float32(last.scales[0]), last.zero_points[0]) == (np.float32(0.05), 3)


def test_weights_that_an_exporter_turned_around_are_found(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=5)
    x = builder.pair(builder.input("x", (1, 6)), 0.03)
    turned = builder.node("Transpose", builder.filters((4, 6), 0), perm=[1, 0])
    builder.output(builder.pair(builder.node("MatMul", x, turned), 0.02))
    assert steps_apart(builder, tmp_path).max() <= 1.01


def test_an_int32_bias_in_the_scale_of_the_sums_is_kept_to_the_bit(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=6)
    x = builder.pair(builder.input("x", (1, 6)), 0.03)
    values, scale = builder.rng.integers(-3000, 3000, size=4).astype(np.int32), np.float32(0.03) * np.float32(0.002)
    weights = builder.node(
        "DequantizeLinear", builder.constant(builder.rng.integers(-127, 128, size=(4, 6)).astype(np.int8)),
        builder.constant(np.float32(0.002)), builder.constant(np.array(0, np.int8)),
    )  # fmt: skip
    bias = builder.node("DequantizeLinear", builder.constant(values), builder.constant(scale))
    builder.output(builder.pair(builder.node("Gemm", x, weights, bias, transB=1), 0.02))
    (tmp_path / "a.tflite").write_bytes(import_qdq(builder, tmp_path)[0])
    graph = import_tflite(tmp_path / "a.tflite")
    kept = graph.tensors[graph.layers[0].inputs[2]].data
    assert kept is not None and kept.tolist() == values.tolist()


def test_the_same_model_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        builder = OnnxBuilder(seed=2)
        CASES["residual_blocks"](builder)
        contents.append(convert(builder, tmp_path)[0])
    assert contents[0] == contents[1]


def test_dead_operators_and_layout_changes_that_undo_each_other_are_not_written(tmp_path: Path) -> None:
    builder = OnnxBuilder(seed=2)
    CASES["transpose_twice"](builder)
    (tmp_path / "a.tflite").write_bytes(convert(builder, tmp_path)[0])
    operators = [layer.operator for layer in import_tflite(tmp_path / "a.tflite").layers]
    assert "TRANSPOSE" not in operators


def test_padding_of_a_maximum_never_wins(tmp_path: Path) -> None:
    """A pool of negative values whose pads would win if they were zeros."""
    builder = QdqBuilder(seed=3)
    x = builder.pair(builder.input("x", (1, 2, 7, 7)), 0.02, 127)  # 0 and below
    pool = builder.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0])
    builder.output(builder.pair(pool, 0.02, 127))
    assert steps_apart(builder, tmp_path).max() < 0.01


@pytest.mark.parametrize(("method", "per_channel"), [("percentile", True), ("minmax", False)])
def test_ways_of_quantising(method: str, per_channel: bool, tmp_path: Path) -> None:
    builder = OnnxBuilder(seed=2)
    CASES["residual_blocks"](builder)
    content, facts, samples = convert(builder, tmp_path, method=method, per_channel=per_channel)
    (tmp_path / "a.tflite").write_bytes(content)
    graph = import_tflite(tmp_path / "a.tflite")
    convolutions = [layer for layer in graph.layers if layer.operator == "CONV_2D"]
    scales = {len(graph.tensors[layer.inputs[1]].quantization.scales) for layer in convolutions}  # type: ignore[union-attr]
    assert scales == ({8} if per_channel else {1})
    ((got, _),) = in_litert(content, facts, samples)
    exact = in_onnxruntime(tmp_path / "prepared.onnx", samples)[0]
    assert 10 * np.log10(np.mean(exact**2) / np.mean((got - exact) ** 2)) > 20


# ---- refusals ----


def refusal(builder: OnnxBuilder, folder: Path) -> Refusal:
    with pytest.raises(Refusal) as caught:
        import_qdq(builder, folder)
    return caught.value


def test_a_float_island_is_refused_by_the_name_of_its_node(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=1)
    x = builder.pair(builder.input("x", (1, 6)), 0.03)
    x = builder.node("Gemm", x, builder.filters((4, 6), 0), transB=1)
    builder.output(builder.pair(builder.node("Add", x, x), 0.02))
    error = refusal(builder, tmp_path)
    assert "give --calibration" in error.hint
    assert "node 'Gemm_3' (Gemm)" in error.message and "read by Add, is not quantised" in error.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zero_point": 3}, "node 'Conv_3' (Conv): weights with zero point 3"),
        ({"axis": 1}, "weights have a scale for each index of dimension 1, expected of dimension 0"),
    ],
)
def test_weights_that_no_kernel_takes_are_refused(change: dict[str, int], message: str, tmp_path: Path) -> None:
    assert message in refusal(small_net(QdqBuilder(seed=1), **change), tmp_path).message


def test_an_unknown_operator_is_named_with_the_known_ones(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=1)
    x = builder.pair(builder.input("x", (1, 6)), 0.03)
    builder.output(builder.pair(builder.node("Erf", x), 0.02))
    error = refusal(builder, tmp_path)
    assert "node 'Erf_2' (Erf): the operator is not supported" in error.message and "Conv" in error.hint


def test_activations_of_few_bits_are_refused(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=1)
    x = builder.input("x", (1, 6))
    parameters = builder.constant(np.float32(0.1)), builder.constant(np.array(0, np.int8))
    x = builder.node("QuantizeLinear", x, *parameters)
    x = builder.node("Clip", x, builder.constant(np.array(-8, np.int8)), builder.constant(np.array(7, np.int8)))
    builder.output(builder.node("DequantizeLinear", x, *parameters))
    assert "activations of fewer than 8 bits (-8 to 7)" in refusal(builder, tmp_path).message


def test_sizes_that_are_not_fixed_are_refused_but_for_the_batch(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=1)
    builder.output(builder.node("Relu", builder.pair(builder.input("x", ("N", 3, "height", 8)), 0.1)))
    assert "input 'x': dimension 2 (height) has no fixed size" in refusal(builder, tmp_path).message


def test_the_qoperator_format_is_named(tmp_path: Path) -> None:
    builder = QdqBuilder(seed=1)
    builder.output(builder.node("DynamicQuantizeLinear", builder.input("x", (1, 4)), outputs=["a", "b", "c"]))
    assert "QOperator format" in refusal(builder, tmp_path).message


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "other.data"])
def test_weights_in_any_other_file_are_not_read(location: str, tmp_path: Path) -> None:
    model = small_net(QdqBuilder(seed=1)).model()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(Refusal, match="lie in the file"):
        read(tmp_path / "m.onnx")


def test_weights_in_the_models_own_file_beside_it_are_read(tmp_path: Path) -> None:
    model = small_net(QdqBuilder(seed=1)).model()
    whole = Importer(read(small_net(QdqBuilder(seed=1)).write(tmp_path / "whole.onnx"))).convert()[0]
    onnx.save(model, str(tmp_path / "m.onnx"), save_as_external_data=True, location="m.onnx.data", size_threshold=0)
    assert (tmp_path / "m.onnx.data").exists()
    assert Importer(read(tmp_path / "m.onnx")).convert()[0] == whole


def test_damaged_files_get_an_error_and_no_other_exception(tmp_path: Path) -> None:
    """Bytes of a good model changed at random: each is converted, or refused."""
    content = small_net(QdqBuilder(seed=1)).model().SerializeToString()
    rng = np.random.default_rng(8)
    path, refused = tmp_path / "m.onnx", 0
    for number in range(150):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), size=1 + number % 8):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged[: len(content) - (number % 5) * 40]))
        try:
            Importer(read(path)).convert()
        except Refusal:
            refused += 1
    assert refused > 50
    for content in (b"", b"\x08", b"not a model at all", b"\0" * 1000):
        path.write_bytes(content)
        with pytest.raises(Refusal):
            read(path)


@pytest.mark.parametrize("name", ["unary_HardSwish", "hard_swish_as_a_product"])
def test_hard_swish_stays_one_layer(name: str, tmp_path: Path) -> None:
    builder = OnnxBuilder(seed=2)
    CASES[name](builder)
    (tmp_path / "a.tflite").write_bytes(convert(builder, tmp_path)[0])
    layers = import_tflite(tmp_path / "a.tflite").layers
    assert [layer.operator for layer in layers] == ["CONV_2D", "HARD_SWISH"]


def test_what_a_quantiser_left_in_float_takes_its_range_from_samples(tmp_path: Path) -> None:
    """A residual addition behind a Relu, and the last layer, as PT2E leaves them."""
    builder = QdqBuilder(seed=9)
    x = builder.pair(builder.input("x", (1, 6)), 0.03)
    y = builder.node("Relu", builder.node("Gemm", x, builder.filters((6, 6), 0), transB=1))
    z = builder.pair(builder.node("Add", x, y), 0.05)
    builder.output(builder.node("Gemm", z, builder.filters((4, 6), 0), transB=1))
    path = builder.write(tmp_path / "m.onnx")
    samples = samples_for(read(path))
    importer = Importer(read(path), ranges(read(path), samples, tmp_path))
    content, facts = importer.convert()
    (tmp_path / "a.tflite").write_bytes(content)
    graph = import_tflite(tmp_path / "a.tflite")
    assert [layer.operator for layer in graph.layers] == ["FULLY_CONNECTED", "ADD", "FULLY_CONNECTED"]
    first = graph.tensors[graph.layers[0].outputs[0]].quantization
    assert first is not None and first.zero_points == (-128,), "the Relu is in the range"
    ((got, _),) = in_litert(content, facts, samples)
    exact = in_onnxruntime(path, samples)[0]
    assert 10 * np.log10(np.mean(exact**2) / np.mean((got - exact) ** 2)) > 30
    assert sum("is not quantised in the model" in note for note in facts["notes"]) == 2


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_newer_models_is_one_operator(approximate: str, tmp_path: Path) -> None:
    builder = OnnxBuilder(seed=5, opset=20)
    x = builder.conv(builder.input("x", (1, 3, 6, 6)), (3, 4))
    builder.output(builder.node("Gelu", x, approximate=approximate))
    content, facts, samples = convert(builder, tmp_path)
    ((got, _),) = in_litert(content, facts, samples)
    exact = in_onnxruntime(tmp_path / "prepared.onnx", samples)[0]
    assert 10 * np.log10(np.mean(exact**2) / np.mean((got - exact) ** 2)) > 30
    operators = [detail["op_name"] for detail in interpreter.Interpreter(model_content=content)._get_ops_details()]
    assert operators == ["CONV_2D", "GELU"]
