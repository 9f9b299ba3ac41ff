"""What the importer says of a model is what LiteRT says of it."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model import operators, tflite_schema
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.codegen.emitters import EMITTERS
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.operators.operator import Operator
from mcu_harness.model.reference import run_reference
from model_builder import ModelBuilder
from model_file import ModelFile
from model_samples import SAMPLES, TESTED_ELSEWHERE, everything

interpreter = pytest.importorskip("ai_edge_litert.interpreter")

CONVERTED = sorted((Path(__file__).parents[2] / "data" / "converted").glob("*.tflite"))
THIRD_PARTY = (
    "kws_ref_model.tflite",
    "pretrainedResnet_quant.tflite",
    "ad01_int8.tflite",
    "hello_world_int8.tflite",
)


def _assert_same_as_litert(path: Path) -> None:
    graph = import_tflite(path)
    litert = interpreter.Interpreter(
        model_path=str(path),
        experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    litert.allocate_tensors()
    for entry in litert.get_input_details():  # memory may hold numbers of rows that are not there
        litert.set_tensor(entry["index"], np.zeros(entry["shape"], entry["dtype"]))
    litert.invoke()  # LiteRT computes the shapes that the importer folds only now
    assert [d["index"] for d in litert.get_input_details()] == list(graph.inputs)
    assert [d["index"] for d in litert.get_output_details()] == list(graph.outputs)
    used = {index for layer in graph.layers for index in (*layer.inputs, *layer.outputs) if index >= 0}
    details = {d["index"]: d for d in litert.get_tensor_details()}
    for index in sorted(used):
        ours, theirs = graph.tensors[index], details[index]
        if ours.is_state:  # LiteRT has the handle of the variable there
            continue
        assert ours.shape == tuple(theirs["shape"])
        assert np.dtype(ours.dtype) == theirs["dtype"]
        assert ours.name == theirs["name"]
        parameters = theirs["quantization_parameters"]
        scales = ours.quantization.scales if ours.quantization else ()
        points = ours.quantization.zero_points if ours.quantization else ()
        assert scales == tuple(float(s) for s in parameters["scales"])
        assert points == tuple(int(z) for z in parameters["zero_points"])
        if ours.is_constant:
            assert np.array_equal(ours.data, litert.get_tensor(index))


@pytest.mark.third_party
@pytest.mark.parametrize("name", THIRD_PARTY)
def test_third_party_tensors_are_what_litert_reads(third_party_models: Path, name: str) -> None:
    _assert_same_as_litert(third_party_models / name)


@pytest.mark.parametrize("path", CONVERTED, ids=lambda path: path.stem)
def test_converted_tensors_are_what_litert_reads(path: Path) -> None:
    _assert_same_as_litert(path)


def test_every_operators_tensors_are_what_litert_reads(tmp_path: Path) -> None:
    path = everything(seed=5).write(tmp_path / "all.tflite")
    _assert_same_as_litert(path)


@pytest.mark.third_party
@pytest.mark.parametrize(("name", "macs"), list(zip(THIRD_PARTY, (2_656_768, 12_501_632, 264_192, 288), strict=True)))
def test_macs_are_the_published_ones(third_party_models: Path, name: str, macs: int) -> None:
    assert import_tflite(third_party_models / name).macs == macs


def test_macs_of_a_layer_count_every_product(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((2, 6, 6, 3))
    builder.output(
        builder.conv_2d(x, channels=4, kernel=(2, 3), stride=(2, 2)),
        builder.depthwise_conv_2d(x, multiplier=2, kernel=(3, 2), padding="VALID"),
        builder.fully_connected(x, units=5),
        builder.binary("MUL", x, x),
    )
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    assert [layer.macs for layer in graph.layers] == [2 * 3 * 3 * 4 * 2 * 3 * 3, 2 * 4 * 5 * 6 * 3 * 2, 72 * 3 * 5, 0]


def test_options_arrive_under_their_tflite_names(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 12, 12, 3))
    y = builder.depthwise_conv_2d(
        x, multiplier=2, stride=(2, 3), dilation=(1, 1), padding="VALID", activation="RELU_N1_TO_1"
    )
    builder.output(builder.conv_2d(x, channels=2, dilation=(3, 2), activation="RELU6"), y)
    builder.output(builder.unary("LEAKY_RELU", x, alpha=0.25), builder.softmax(x, beta=0.5))
    depthwise, conv, leaky, softmax = import_tflite(builder.write(tmp_path / "m.tflite")).layers
    assert depthwise.attributes == {
        "stride_h": 2, "stride_w": 3, "dilation_h_factor": 1, "dilation_w_factor": 1,
        "padding": "VALID", "fused_activation": "RELU_N1_TO_1",
    }  # fmt: skip
    assert (conv.attributes["dilation_h_factor"], conv.attributes["dilation_w_factor"]) == (3, 2)
    assert (conv.attributes["padding"], conv.attributes["fused_activation"]) == ("SAME", "RELU6")
    assert leaky.attributes == {"alpha": 0.25}
    assert softmax.attributes == {"beta": 0.5}


def test_the_graph_knows_its_file(tmp_path: Path) -> None:
    path = everything().write(tmp_path / "some name.tflite")
    graph = import_tflite(path)
    assert graph.name == "some name"
    assert graph.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert graph.file_bytes == path.stat().st_size
    assert [tensor.index for tensor in graph.tensors] == list(range(len(graph.tensors)))
    assert [layer.index for layer in graph.layers] == list(range(len(graph.layers)))


def test_every_operator_has_one_row_one_emitter_and_a_sample() -> None:
    modules = [path.stem for path in Path(operators.__file__).parent.glob("*.py") if path.stem != "__init__"]
    rows = [
        row.name
        for name in modules
        for row in getattr(import_module(f"{operators.__name__}.{name}"), "OPERATORS", ())
        if isinstance(row, Operator)
    ]
    assert len(rows) > 50 and sorted(rows) == list(OPERATORS)
    assert set(OPERATORS) == set(EMITTERS) == {*SAMPLES, *TESTED_ELSEWHERE}


def test_shape_arithmetic_of_a_keras_flatten_folds_away(tmp_path: Path) -> None:
    model = ModelFile()
    x = model.tensor((2, 3, 4), 0.1)
    model.inputs.append(x)
    shape, batch = model.tensor((3,), None, dtype="int32"), model.tensor((), None, dtype="int32")
    model.operator("SHAPE", [x], shape)
    picks = [model.constant(np.array([value], np.int32)) for value in (0, 1, 1)]
    model.operator("STRIDED_SLICE", [shape, *picks], batch, shrink_axis_mask=1)
    packed = model.tensor((2,), None, dtype="int32")
    model.operator("PACK", [batch, model.constant(np.array(-1, np.int32))], packed, axis=0, values_count=2)
    flat = model.tensor((2, 12), 0.1)
    model.output(model.operator("RESHAPE", [x, packed], flat))
    path = tmp_path / "flatten.tflite"
    path.write_bytes(model.build())
    graph = import_tflite(path)
    assert [layer.name for layer in graph.layers] == ["00 RESHAPE"]
    assert graph.tensors[packed].data is not None
    assert graph.tensors[packed].data.tolist() == [2, -1]


def _biased(axis: int) -> ModelBuilder:
    builder = ModelBuilder(3)
    x = builder.input((1, 5, 5, 3))
    builder.output(builder.conv_2d(x, channels=4))
    bias = builder.tensors[builder.operators[0].inputs[2]]
    assert len(bias.scales) == 4
    bias.axis = axis
    return builder


def test_a_quantised_axis_that_a_bias_cannot_have_is_mended_for_the_oracle_too(tmp_path: Path) -> None:
    """An early converter wrote the filter's axis, 3, into one-dimensional biases: LiteRT refuses what TFLM runs."""
    wrong, right = _biased(3).write(tmp_path / "wrong.tflite"), _biased(0).write(tmp_path / "right.tflite")
    graph, plain = import_tflite(wrong), import_tflite(right)
    assert not plain.repairs
    assert len(graph.repairs) == 1
    assert graph.tensors == plain.tensors
    inputs = make_inputs(graph, 1, 3)
    expected, got = (run_reference(path, each, inputs) for path, each in ((right, plain), (wrong, graph)))
    assert np.array_equal(got.outputs[0], expected.outputs[0])
    with pytest.raises(ModelError, match="LiteRT refuses"):
        run_reference(wrong, plain, inputs)


@pytest.mark.parametrize("kind", ["float16", "string", "empty"])
def test_what_no_layer_uses_is_not_looked_at(kind: str, tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    x = builder.input((1, 5, 5, 3))
    builder.output(builder.unary("RELU", x))
    shape = (0, 3) if kind == "empty" else (2, 3)
    unused = builder.tensor(shape, 0.1)
    content = bytearray(builder.build())
    if kind != "empty":
        from ai_edge_litert import schema_py_generated as schema

        model = schema.ModelT.InitFromPackedBuf(content)
        model.subgraphs[0].tensors[unused].type = getattr(schema.TensorType, kind.upper())
        packer = flatbuffers.Builder(64)
        packer.Finish(model.Pack(packer), b"TFL3")
        content = packer.Output()
    path = tmp_path / "unused.tflite"
    path.write_bytes(bytes(content))
    graph = import_tflite(path)
    assert graph.tensors[unused].dtype == "unused"
    assert len(graph.layers) == 1


@pytest.mark.parametrize("multiplier", [0, 1, 7])
def test_depth_multipliers_follow_from_shapes(multiplier: int, tmp_path: Path) -> None:
    builder = ModelBuilder(3)
    x = builder.input((1, 5, 5, 3))
    builder.output(builder.depthwise_conv_2d(x, multiplier=2))
    builder.operators[0].options["depth_multiplier"] = multiplier
    path = builder.write(tmp_path / "m.tflite")
    _assert_same_as_litert(path)


@pytest.mark.parametrize(("old", "new"), [(114, 0), (0, 114), (114, 114), (127, 150)])
def test_an_operator_is_the_larger_of_its_two_codes(old: int, new: int, tmp_path: Path) -> None:
    """Newer writers leave the old, one-byte code at 0, which is ADD's; for codes above 127 it is 127."""
    from ai_edge_litert import schema_py_generated as schema

    builder = ModelBuilder(3)
    builder.output(builder.unary("GELU" if new == 150 else "QUANTIZE", builder.input((1, 5))))
    model = schema.ModelT.InitFromPackedBuf(builder.build())
    model.operatorCodes[0].deprecatedBuiltinCode, model.operatorCodes[0].builtinCode = old, new
    packer = flatbuffers.Builder(64)
    packer.Finish(model.Pack(packer), b"TFL3")
    path = tmp_path / "m.tflite"
    path.write_bytes(bytes(packer.Output()))
    name = tflite_schema.OPERATOR_NAMES[max(old, new)]
    if name in OPERATORS:
        assert import_tflite(path).layers[0].operator == name
    else:
        with pytest.raises(ModelError, match=f"not supported: {name} "):
            import_tflite(path)
