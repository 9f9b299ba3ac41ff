"""Models that cannot be used: one error each, which names file, layer, operator and tensor, and the way out."""

from __future__ import annotations

import random
import re
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.operators.catalogue import OPERATORS
from model_builder import ModelBuilder
from model_samples import SAMPLES, everything, sample
from sweeps import count


def _error(builder: ModelBuilder, tmp_path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        import_tflite(builder.write(tmp_path / "wrong.tflite"))
    assert str(caught.value).startswith(str(tmp_path / "wrong.tflite"))
    return str(caught.value)


def _image() -> tuple[ModelBuilder, int]:
    builder = ModelBuilder()
    return builder, builder.input((1, 8, 8, 4))


def test_unsupported_operators_are_named_together_with_the_supported_ones(tmp_path: Path) -> None:
    builder, x = _image()
    y = builder.operator("WHERE", [x], builder.tensor((1, 8, 8, 4), name="angle\x1b[31m"))
    y = builder.operator("WHERE", [y], builder.tensor((1, 8, 8, 4)))
    builder.output(builder.operator("My\nOp", [y], builder.tensor((1, 8, 8, 4))))
    message = _error(builder, tmp_path)
    assert "WHERE (layers 0, 1, first output tensor 1 'angle\\x1b[31m')" in message
    assert "CUSTOM 'My\\nOp' (layer 2" in message
    assert all(operator in message for operator in OPERATORS)
    assert "\x1b" not in message


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("ethos-u", "compiled for Arm Ethos-U, by Vela"),
        ("edgetpu-custom-op", "compiled for Coral's Edge TPU"),
        ("NeutronGraph", "compiled for NXP's Neutron"),
        ("FlexErf", "without SELECT_TF_OPS"),
        ("TheirOwn", "docs/howto/add-an-operator.md"),
    ],
)
def test_a_custom_operator_is_said_to_be_what_it_is(name: str, step: str, tmp_path: Path) -> None:
    builder, x = _image()
    builder.output(builder.operator(name, [x], builder.tensor((1, 8, 8, 4))))
    message = _error(builder, tmp_path)
    assert f"CUSTOM '{name}' (layer 0" in message
    assert step in message


@pytest.mark.parametrize(
    ("dtype", "step"), [("float32", "mcu-harness convert"), ("uint8", "TensorFlow 1"), ("int16", "16x8")]
)
def test_activations_of_another_type_say_which_kind_of_model_it_is(dtype: str, step: str, tmp_path: Path) -> None:
    builder, x = _image()
    between = builder.tensor((1, 8, 8, 4), 0.1, dtype=dtype)
    builder.operator("QUANTIZE" if dtype == "uint8" else "ABS", [x], between)
    builder.output(builder.operator("ABS", [between], builder.tensor((1, 8, 8, 4))))
    message = _error(builder, tmp_path)
    assert f"tensor {between} 't{between}': activation of {dtype}, expected an int8 activation" in message
    assert step in message


def _wrong_filter_zero_point(b: ModelBuilder, x: int) -> int:
    filters = b.constant(np.ones((3, 4), np.int8), 0.1, 5)
    return b.operator("FULLY_CONNECTED", [x, filters, -1], b.tensor((64, 3)))


def _computed_filter(b: ModelBuilder, x: int) -> int:
    return b.operator("FULLY_CONNECTED", [x, b.input((3, 4)), -1], b.tensor((64, 3)))


def _computed_paddings(b: ModelBuilder, x: int) -> int:
    return b.operator("PAD", [x, b.unary("RELU", x)], b.tensor((1, 8, 8, 4)))


def _groups(b: ModelBuilder, x: int) -> int:
    filters = b.constant(np.ones((2, 1, 1, 2), np.int8), 0.1)
    bias = b.constant(np.zeros(2, np.int32))
    return b.operator("CONV_2D", [x, filters, bias], b.tensor((1, 8, 8, 2)))


def _short_bias(b: ModelBuilder, x: int) -> int:
    filters = b.constant(np.ones((2, 4), np.int8), 0.1)
    return b.operator("FULLY_CONNECTED", [x, filters, b.constant(np.zeros(1, np.int32))], b.tensor((64, 2)))


def _scales_along_the_wrong_axis(b: ModelBuilder, x: int) -> int:
    filters = b.constant(np.ones((4, 1, 1, 4), np.int8), [0.1] * 4, [0] * 4, axis=3)
    bias = b.constant(np.zeros(4, np.int32))
    return b.operator("CONV_2D", [x, filters, bias], b.tensor((1, 8, 8, 4)))


def _missing_scales(b: ModelBuilder, x: int) -> int:
    return b.operator("RELU", [x], b.tensor((1, 8, 8, 4), None))


def _pool_of(b: ModelBuilder, x: int, shape: tuple[int, ...], **options: object) -> int:
    output = b.tensor(shape, 0.05, -3)
    return b.operator("MAX_POOL_2D", [x], output, **{"padding": "VALID", "filter_height": 2, **options})


WRONG: dict[str, tuple[Callable[[ModelBuilder, int], int], str]] = {
    "filter zero point": (_wrong_filter_zero_point, "a filter must have zero point 0"),
    "computed filter": (_computed_filter, "activation of int8, expected an int8 constant"),
    "computed paddings": (_computed_paddings, "activation of int8, expected an int32 constant"),
    "groups": (_groups, "does not span the 4 input channels"),
    "bias too short": (_short_bias, "the bias has 1 entries for 2 channels"),
    "filter axis": (_scales_along_the_wrong_axis, "scales per channel along axis 3, expected axis 0"),
    "no scales": (_missing_scales, "an int8 tensor without scale and zero point"),
    "no bias": (lambda b, x: b.conv_2d(x, channels=2, bias=False), "2 inputs, expected 3"),
    "fused TANH": (lambda b, x: b.binary("ADD", x, x, activation="TANH"), "fused_activation is 'TANH', supported: 'NONE'"),
    "output too small": (lambda b, x: _pool_of(b, x, (1, 6, 8, 4)), "the model says shape (1, 6, 8, 4), its inputs give (1, 7, 8, 4)"),
    "stride 0": (lambda b, x: _pool_of(b, x, (1, 7, 8, 4), stride_h=0), "stride, window and dilation (0, 2, 1) must each be 1 to 32767"),
    "window too large": (lambda b, x: _pool_of(b, x, (1, 1, 8, 4), filter_height=9), "a window of 9 does not fit in 8"),
    "pool rescales": (lambda b, x: b.operator("AVERAGE_POOL_2D", [x], b.tensor((1, 8, 8, 4), 0.1)), "scale and zero point differ"),
    "softmax scale": (lambda b, x: b.operator("SOFTMAX", [x], b.tensor((1, 8, 8, 4), 0.1), beta=1.0), "expected scale 0.00390625"),
    "scale infinite": (lambda b, x: b.unary("RELU", x, scale=float("inf")), "a scale is not a sensible positive number"),
    "scale absurd": (lambda b, x: b.binary("ADD", x, x, scale=1e-9), "the output scale is absurdly small"),
    "zero point": (lambda b, x: b.unary("RELU", x, zero_point=200), "a zero point is outside int8"),
    "float inside": (lambda b, x: b.unary("ABS", b.dequantize(x)), "activation of float32, expected an int8 activation"),
    "nine dimensions": (lambda b, x: b.reshape(x, (1, 1, 1, 1, 1, 1, 8, 8, 4)), "9 dimensions, at most 8 are supported"),
    "pad six dimensions": (
        lambda b, x: b.pad(b.reshape(x, (1, 1, 1, 8, 8, 4)), [(0, 1)] * 6), "6 dimensions, at most 5 are supported here"
    ),
    "logistic scale": (lambda b, x: b.unary("LOGISTIC", x, scale=0.1), "expected scale 0.00390625"),
    "tanh scale": (lambda b, x: b.unary("TANH", x, scale=2.0**-35), "the output scale is absurdly small"),
    "alpha": (lambda b, x: b.unary("LEAKY_RELU", x, alpha=-1e7), "alpha is -10000000.0, expected -1e+06 to 1e6"),
    "beta": (lambda b, x: b.softmax(x, beta=-1.0), "beta is -1.0, expected 0 to 1e6"),
    "bytes inside": (
        lambda b, x: b.unary("RELU", b.operator("QUANTIZE", [x], b.tensor((1, 8, 8, 4), dtype="int32"))),
        "activation of int32, expected an int8",
    ),
    "unsigned zero point": (
        lambda b, x: b.operator("QUANTIZE", [x], b.tensor((1, 8, 8, 4), 0.1, -1, dtype="uint8")),
        "a zero point is outside uint8",
    ),
    "huge output": (lambda b, x: b.resize_nearest_neighbor(x, (30_000, 30_000)), "more than any Cortex-M holds"),
    "reshape": (lambda b, x: b.operator("RESHAPE", [x, b.constant([3, -1])], b.tensor((3, 85), 0.05, -3)), "do not fit the shape"),
    "permutation": (lambda b, x: b.operator("TRANSPOSE", [x, b.constant([0, 1, 1, 2])], b.tensor((1, 8, 8, 4), 0.05, -3)), "is not an order of"),
    "ellipsis": (
        lambda b, x: b.operator("STRIDED_SLICE", [x, *[b.constant([1])] * 3], b.tensor((1,), 0.05, -3), ellipsis_mask=1),
        "ellipsis_mask is 1, supported: 0",
    ),
    "offset": (
        lambda b, x: b.operator("STRIDED_SLICE", [x, *[b.constant([1])] * 3], b.tensor((1,), 0.05, -3), offset=True),
        "offset is True, supported: False",
    ),
    "slice of too many dimensions": (
        lambda b, x: b.operator("STRIDED_SLICE", [x, *[b.constant([1] * 6)] * 3], b.tensor((1,), 0.05, -3), new_axis_mask=1),
        "5 dimensions are named of 4",
    ),
    "three inputs": (lambda b, x: b.operator("ADD", [x, x, x], b.tensor((1, 8, 8, 4))), "3 inputs, expected 2"),
    "two outputs": (lambda b, x: b.operator("RELU", [x], [b.tensor((1, 8, 8, 4)), b.tensor((1,))]), "2 outputs, expected 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_no_kernel_can_do_is_refused_with_its_layer_and_tensor(tmp_path: Path, name: str) -> None:
    builder, x = _image()
    build, expected = WRONG[name]
    builder.output(build(builder, x))
    message = _error(builder, tmp_path)
    assert expected in message
    assert re.search(r"layer \d\d [A-Z_0-9]+|tensor \d+ '", message)


def test_a_tensor_that_is_read_before_it_is_written_is_refused(tmp_path: Path) -> None:
    builder, x = _image()
    later = builder.tensor((1, 8, 8, 4))
    builder.output(builder.operator("ADD", [x, later], builder.tensor((1, 8, 8, 4))))
    builder.operator("RELU", [x], later)
    assert f"layer 00 ADD reads tensor {later} 't{later}' before it is written" in _error(builder, tmp_path)


def test_a_layer_that_reads_its_own_output_is_refused(tmp_path: Path) -> None:
    builder, x = _image()
    own = builder.tensor((1, 8, 8, 4))
    builder.output(builder.operator("ADD", [x, own], own))
    assert "before it is written" in _error(builder, tmp_path)


def test_a_tensor_that_is_written_twice_is_refused(tmp_path: Path) -> None:
    builder, x = _image()
    y = builder.unary("RELU", x)
    builder.output(builder.operator("RELU", [x], y))
    assert "a second time" in _error(builder, tmp_path)


def test_an_output_that_nothing_writes_is_refused(tmp_path: Path) -> None:
    builder, x = _image()
    builder.unary("RELU", x)
    builder.output(builder.tensor((1, 2)))
    assert "is never written" in _error(builder, tmp_path)


def test_inputs_of_another_type_say_how_to_convert(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 4), dtype="int64")
    builder.output(builder.unary("QUANTIZE", x))
    assert "inference_input_type=tf.int8" in _error(builder, tmp_path)


def test_data_that_does_not_fill_its_shape_is_refused(tmp_path: Path) -> None:
    builder, x = _image()
    y = builder.fully_connected(x, units=3)
    builder.tensors[builder.operators[0].inputs[1]].shape = (3, 5)
    builder.output(y)
    assert "12 bytes of data for shape (3, 5) of int8" in _error(builder, tmp_path)


def test_indices_outside_the_model_are_refused(tmp_path: Path) -> None:
    builder, x = _image()
    builder.output(builder.operator("ADD", [x, 77], builder.tensor((1, 8, 8, 4))))
    message = _error(builder, tmp_path)
    assert "layer 00 ADD" in message
    assert "it names tensors that are not there (2 tensors)" in message


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.tflite: cannot be read: No such file"):
        import_tflite(tmp_path / "nowhere.tflite")


OTHER_FILES = {
    "nothing": (b"", "it is empty", "copy the file again"),
    "too short": (b"TFL3", "bytes 4 to 7 are b''", "full-integer quantisation"),
    "program": (b"\x7fELF" * 100, "it is an ELF program", "mcu-harness profile"),
    "archive": (b"PK\x03\x04" + bytes(200), "it is a zip archive", "unpack"),
    "Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4711\n", "a Git LFS pointer", "git lfs pull"
    ),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:" + bytes(40), "an ONNX file", ".onnx"),
    "ExecuTorch": (b"<\0\0\0ET12eh00 \0\0\0" + bytes(64), "an ExecuTorch program", "torch.export.save"),
    "Core ML": (b"\x08\x04\x12\x8e\x02\xa2\x06+\n$com.github.apple.coremltools.version\x12\x039.0", "a Core ML model", "coremltools"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file", "full-integer"),
    "C array": (b"unsigned char model_tflite[] = {\n  0x1c, 0x00, 0x00, 0x00, 0x54, 0x46,", "it is C source", "xxd -r -p"),
    "C array with a header": (b'#include "model.h"\n\nalignas(16) const unsigned char g_model[] = {0x1c', "it is C source", "xxd"),
    "web page": (b"<!DOCTYPE html><html>" + bytes(40), "HTML or XML page", "download the file itself"),
    "pickle": (b"\x80\x04\x95" + bytes(40), "Python pickle", "convert"),
    "noise": (b"\x13" * 64, "bytes 4 to 7 are", "convert"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_other_files_are_called_what_they_are(tmp_path: Path, kind: str) -> None:
    content, what, hint = OTHER_FILES[kind]
    path = tmp_path / "other.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"other\.tflite: not a \.tflite file") as caught:
        import_tflite(path)
    assert what in caught.value.message
    assert hint in caught.value.hint


def test_a_shape_of_any_length_makes_a_message_of_one_line(tmp_path: Path) -> None:
    builder, x = _image()
    builder.output(builder.operator("RESHAPE", [x], builder.tensor((1, 4), 0.05, -3), new_shape=[1] * 5000))
    message = _error(builder, tmp_path)
    assert "256 elements do not fit the shape (1, 1," in message
    assert len(message) < 1000


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    whole = everything().build()
    path = tmp_path / "cut.tflite"
    for length in range(8, len(whole), max(1, len(whole) // 300)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            import_tflite(path)


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """`content` with a few bytes, bits or 32-bit words changed after the identifier."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(8, len(damaged) - 4)
        kind = rng.random()
        if kind < 0.4:
            damaged[at] = rng.randrange(256)
        elif kind < 0.7:
            damaged[at] ^= 1 << rng.randrange(8)
        else:
            word = rng.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, len(content), rng.getrandbits(32)))
            damaged[at : at + 4] = struct.pack("<I", word)
    return bytes(damaged)


def _refused(content: bytes, seed: int, files: int, path: Path) -> int:
    """How many of `files` damaged copies are refused; anything else than a ModelError comes through."""
    rng, refused = random.Random(seed), 0
    for _ in range(files):
        path.write_bytes(_damaged(content, rng))
        try:
            import_tflite(path)
        except ModelError:
            refused += 1
    return refused


def test_damaged_files_are_imported_or_refused_and_nothing_else(tmp_path: Path) -> None:
    assert _refused(everything().build(), 2024, count(150, 500), tmp_path / "damaged.tflite") > 30


@pytest.mark.parametrize("operator", SAMPLES)
def test_damaged_operators_become_c_or_an_error(operator: str, tmp_path: Path) -> None:
    content, path, rng = sample(operator).build(), tmp_path / "damaged.tflite", random.Random(operator)
    for _ in range(count(10, 25)):
        path.write_bytes(_damaged(content, rng))
        try:
            graph = import_tflite(path)
            generate(graph, plan_memory(graph, "cortex-m4"), "cortex-m4")
        except ModelError:
            continue


def test_a_layer_without_inputs_is_refused(tmp_path: Path) -> None:
    builder, _ = _image()
    builder.output(builder.operator("BATCH_TO_SPACE_ND", [], builder.tensor((1, 8, 8, 4))))
    assert "layer 00 BATCH_TO_SPACE_ND: 0 inputs, expected 3" in _error(builder, tmp_path)


def test_damaged_files_do_not_make_the_importer_ask_for_memory(tmp_path: Path) -> None:
    content = everything().build()
    tracemalloc.start()
    try:
        _refused(content, 7, count(20, 60), tmp_path / "damaged.tflite")
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_offsets_that_overlap_cost_no_more_than_the_file_holds(tmp_path: Path) -> None:
    """Every entry of the tensor list points at one tensor with a long name, and all are used."""
    builder = ModelBuilder()
    x = builder.input((1, 4))
    builder.tensors[x].name = "n" * 200_000
    builder.output(builder.unary("RELU", x))
    for _ in range(5000):
        builder.input((1, 4))
    content = bytearray(builder.build())
    tables = _tensor_vector(bytes(content))
    target = tables + 4 + struct.unpack_from("<I", content, tables + 4)[0]
    count = struct.unpack_from("<I", content, tables)[0]
    for entry in range(count):
        at = tables + 4 + 4 * entry
        if 0 <= target - at < 2**32:
            struct.pack_into("<I", content, at, target - at)
    path = tmp_path / "overlapping.tflite"
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="its parts are larger than the file"):
        import_tflite(path)


def _tensor_vector(content: bytes) -> int:
    """Where the vector of tensors begins: root table -> subgraphs[0] -> tensors."""

    def field(table: int, slot: int) -> int:
        vtable = table - struct.unpack_from("<i", content, table)[0]
        at = table + struct.unpack_from("<H", content, vtable + slot)[0]
        return at + struct.unpack_from("<I", content, at)[0]

    subgraphs = field(struct.unpack_from("<I", content, 0)[0], 8)
    first = subgraphs + 4 + struct.unpack_from("<I", content, subgraphs + 4)[0]
    return field(first, 4)
