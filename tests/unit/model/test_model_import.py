"""What the importer says of a model is what LiteRT says of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.importers.tflite_options import OPTIONS
from mcu_harness.model.operators import OPERATORS
from mcu_harness.model.shapes import RULES
from model_builder import ModelBuilder
from model_file import ModelFile
from model_samples import SAMPLES, everything

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
    litert.invoke()  # LiteRT computes the shapes that the importer folds only now
    assert [d["index"] for d in litert.get_input_details()] == list(graph.inputs)
    assert [d["index"] for d in litert.get_output_details()] == list(graph.outputs)
    used = {index for layer in graph.layers for index in (*layer.inputs, *layer.outputs) if index >= 0}
    details = {d["index"]: d for d in litert.get_tensor_details()}
    for index in sorted(used):
        ours, theirs = graph.tensors[index], details[index]
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
        "padding": "VALID", "fused_activation": "RELU_N1_TO_1", "depth_multiplier": 2,
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


def test_tables_cover_the_same_operators() -> None:
    assert set(OPERATORS) == set(RULES) == set(SAMPLES) == set(OPTIONS) - {"SHAPE", "PACK"}


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
