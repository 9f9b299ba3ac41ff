"""Inputs from seeds and files: the same everywhere, and refused by name when they do not fit."""

from __future__ import annotations

import random
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import load_expected, load_inputs, load_labels, make_inputs
from mcu_harness.model.graph import Graph
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.layout import Layout
from model_builder import ModelBuilder


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    """One int8 input (1, 3, 2), one float32 input (1, 5) that is quantised, two outputs (1, 4)."""
    builder = ModelBuilder()
    x, y = builder.input((1, 3, 2)), builder.input((1, 5), dtype="float32")
    quantised = builder.unary("QUANTIZE", y, scale=0.5, zero_point=10)
    builder.output(builder.fully_connected(builder.reshape(x, (1, 6)), units=4))
    builder.output(builder.fully_connected(quantised, units=4))
    return import_tflite(builder.write(tmp_path / "m.tflite"))


@pytest.fixture
def plain(tmp_path: Path) -> Graph:
    """One int8 input (1, 3, 2), one output (1, 4)."""
    builder = ModelBuilder()
    x = builder.input((1, 3, 2))
    builder.output(builder.fully_connected(builder.reshape(x, (1, 6)), units=4))
    return import_tflite(builder.write(tmp_path / "m.tflite"))


def test_seeded_inputs_are_the_same_on_every_machine(graph: Graph) -> None:
    first, second = make_inputs(graph, seed=1, count=2)
    assert (first.dtype, first.shape) == (np.int8, (2, 1, 3, 2))
    assert (second.dtype, second.shape) == (np.float32, (2, 1, 5))
    # Philox-4x64-10 with key (seed, position), its 64-bit words taken low byte first
    assert first.reshape(-1).tolist() == [-33, -126, 98, 117, 123, -94, -74, 77, 47, 14, -66, -70]
    assert second.reshape(-1)[:3].tolist() == pytest.approx([-45.40449, -64.83505, -35.27236], rel=1e-6)


def test_seeds_positions_and_samples_differ(graph: Graph) -> None:
    one, other = make_inputs(graph, seed=1, count=4), make_inputs(graph, seed=2, count=4)
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0][0], one[0][1])


def test_more_samples_begin_with_the_same_ones(graph: Graph) -> None:
    for few, many in zip(make_inputs(graph, 7, 3), make_inputs(graph, 7, 11), strict=True):
        assert np.array_equal(few, many[:3])


def test_int8_inputs_span_the_type_and_floats_what_their_quantisation_can_express(graph: Graph) -> None:
    first, second = make_inputs(graph, seed=3, count=2000)
    assert (first.min(), first.max()) == (-128, 127)
    levels = np.round(second / 0.5) + 10
    assert levels.min() < -128
    assert levels.max() > 127
    assert levels.min() > -145
    assert levels.max() < 145


def test_unsigned_inputs_span_their_type_and_so_do_floats_that_become_unsigned(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x, y = builder.input((1, 5), 0.5, 128, dtype="uint8"), builder.input((1, 5), dtype="float32")
    builder.output(builder.unary("QUANTIZE", x), builder.quantize(y, "uint8", scale=0.5, zero_point=10))
    graph = import_tflite(builder.write(tmp_path / "m.tflite"))
    first, second = make_inputs(graph, seed=3, count=2000)
    assert (first.dtype, first.min(), first.max()) == (np.uint8, 0, 255)
    levels = np.round(second / 0.5) + 10
    assert -14 < levels.min() < 0
    assert 255 < levels.max() < 269
    np.save(tmp_path / "x.npy", first.astype(np.int8))
    with pytest.raises(ModelError, match="expected uint8, got int8"):
        load_inputs(tmp_path / "x.npy", import_tflite(one_unsigned_input(tmp_path)))


def test_inputs_that_become_wider_numbers_span_their_type(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input((1, 5), 0.5, 0, dtype="int16")
    builder.output(builder.operator("QUANTIZE", [x], builder.tensor((1, 5), 0.25, 0, dtype="int32")))
    (values,) = make_inputs(import_tflite(builder.write(tmp_path / "m.tflite")), seed=3, count=20000)
    assert (values.dtype, values.min() < -32700, values.max() > 32700) == (np.int16, True, True)


def one_unsigned_input(folder: Path) -> Path:
    builder = ModelBuilder()
    builder.output(builder.unary("QUANTIZE", builder.input((1, 5), 0.5, 128, dtype="uint8")))
    return builder.write(folder / "one.tflite")


@pytest.mark.parametrize("shape", [(7, 1, 3, 2), (7, 3, 2)])
def test_inputs_may_leave_out_a_batch_of_one(plain: Graph, tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.arange(42, dtype=np.int8).reshape(shape)
    np.save(tmp_path / "x.npy", values)
    (loaded,) = load_inputs(tmp_path / "x.npy", plain)
    assert loaded.shape == (7, 1, 3, 2)
    assert loaded.reshape(-1).tolist() == list(range(42))


def test_several_inputs_come_by_number_position_or_tensor_name(graph: Graph, tmp_path: Path) -> None:
    x, y = np.ones((2, 3, 2), np.int8), np.full((2, 5), 0.5, np.float32)
    np.savez(tmp_path / "position.npz", x, y)
    np.savez(tmp_path / "name.npz", t1=y, t0=x)
    np.savez(tmp_path / "number.npz", inputs_1=y, inputs_0=x, labels=np.zeros(2, np.int32))
    for name in ("position.npz", "name.npz", "number.npz"):
        loaded = load_inputs(tmp_path / name, graph)
        assert [array.shape for array in loaded] == [(2, 1, 3, 2), (2, 1, 5)]
        assert loaded[1].dtype == np.float32


def _fails(message: str, path: Path, graph: Graph) -> str:
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        load_inputs(path, graph)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def test_a_wrong_shape_says_expected_and_got(plain: Graph, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 2, 3), np.int8))
    _fails("expected shape (count, 1, 3, 2) or (count, 3, 2), got (5, 2, 3)", tmp_path / "x.npy", plain)


def test_no_samples_are_a_wrong_shape(plain: Graph, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((0, 3, 2), np.int8))
    _fails("got (0, 3, 2)", tmp_path / "x.npy", plain)


def test_floats_for_an_int8_input_are_quantised(plain: Graph, tmp_path: Path) -> None:
    """Scale 0.05, zero point -3: rounded to nearest, saturated."""
    reals = np.zeros((2, 3, 2))
    reals[0, 0, 0], reals[1, 2, 1], reals[1, 0, 1] = 0.26, 100.0, -100.0
    np.save(tmp_path / "x.npy", reals)
    (got,) = load_inputs(tmp_path / "x.npy", plain)
    expected = np.full((2, 1, 3, 2), -3, np.int8)
    expected[0, 0, 0, 0], expected[1, 0, 2, 1], expected[1, 0, 0, 1] = 2, 127, -128
    assert got.dtype == np.int8 and np.array_equal(got, expected)


def test_floats_that_are_no_numbers_are_refused(plain: Graph, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((2, 3, 2), np.nan))
    _fails("samples hold NaN or infinity", tmp_path / "x.npy", plain)


def test_inputs_of_a_converted_model_are_laid_out_as_in_its_original(plain: Graph, tmp_path: Path) -> None:
    original = np.arange(12, dtype=np.int8).reshape(2, 2, 3)  # (count, C, H) of what is (1, H, C) in the model
    np.savez(tmp_path / "x.npz", image=original)
    (got,) = load_inputs(tmp_path / "x.npz", plain, (Layout("image", (1, 2, 3), (0, 2, 1)),))
    assert np.array_equal(got[:, 0], original.transpose(0, 2, 1))


def test_a_missing_array_is_named(graph: Graph, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", np.zeros((2, 3, 2), np.int8))
    message = _fails("no array for model input tensor 1 't1'", tmp_path / "x.npz", graph)
    assert 'name the arrays "inputs_0", "inputs_1"' in message


def test_different_numbers_of_samples_are_refused(graph: Graph, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", np.zeros((2, 3, 2), np.int8), np.zeros((3, 5), np.float32))
    _fails("arrays for [2, 3] samples", tmp_path / "x.npz", graph)


def test_pickles_are_not_loaded(plain: Graph, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    _fails("not a usable .npy or .npz file", tmp_path / "x.npy", plain)


@pytest.mark.parametrize("content", [b"", b"garbage" * 10, b"PK\x03\x04broken", b"\x93NUMPY\x01\x00"])
def test_other_files_are_refused(plain: Graph, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    _fails("not a usable .npy or .npz file", tmp_path / "x.npy", plain)


def test_a_header_with_an_absurd_shape_is_refused_without_asking_for_memory(plain: Graph, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 3, 2), np.int8))
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content.replace(b"(5, 3, 2)", b"(9999999999999, 3, 2)"[:9].ljust(9)))
    _fails("not a usable .npy or .npz file", tmp_path / "x.npy", plain)
    header = content.replace(b"(5, 3, 2), }" + b" " * 10, b"(9999999999999, 3), }".ljust(22))
    (tmp_path / "x.npy").write_bytes(header)
    _fails("not a usable .npy or .npz file", tmp_path / "x.npy", plain)


def test_a_sparse_file_of_gigabytes_is_refused_before_it_is_read(plain: Graph, tmp_path: Path) -> None:
    path = tmp_path / "sparse.npy"
    header = np.lib.format.header_data_from_array_1_0(np.zeros((1, *plain.tensors[0].shape), np.int8))
    header["shape"] = (5_000_000_000 // plain.tensors[0].elements, *plain.tensors[0].shape)
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + 5_000_000_000)
    tracemalloc.start()
    with pytest.raises(ModelError, match=r"sparse\.npy: \d{10} bytes of arrays, at most"):
        load_inputs(path, plain)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("flag", ["encrypted", "method"])
def test_an_archive_that_cannot_be_opened_is_named_with_its_array(plain: Graph, tmp_path: Path, flag: str) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, inputs=np.zeros((1, *plain.tensors[0].shape), np.int8))
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(signature) + at
        if flag == "encrypted":
            content[place] |= 1
        else:
            content[place + 2 : place + 4] = (99).to_bytes(2, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=r"samples\.npz: array 'inputs': not a usable"):
        load_inputs(path, plain)


def test_a_missing_file_is_named(plain: Graph, tmp_path: Path) -> None:
    _fails("cannot be read", tmp_path / "nowhere.npy", plain)


def test_labels_are_one_whole_number_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "y.npz"
    np.savez(path, inputs=np.zeros((3, 2)), labels=np.array([3, 1, 2], np.uint8))
    labels = load_labels(path, 3)
    assert labels is not None
    assert labels.dtype == np.int64
    assert labels.tolist() == [3, 1, 2]
    with pytest.raises(ModelError, match=re.escape("expected 4 whole numbers, got uint8 (3,)")):
        load_labels(path, 4)
    np.savez(path, labels=np.array([[0.5], [1.0]]))
    with pytest.raises(ModelError, match=re.escape("expected 2 whole numbers, got float64 (2, 1)")):
        load_labels(path, 2)


def test_files_without_labels_have_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", inputs=np.zeros((3, 2)))
    assert load_labels(tmp_path / "x.npz", 3) is None


def test_damaged_array_files_are_refused_and_nothing_else(plain: Graph, tmp_path: Path) -> None:
    path, rng, refused = tmp_path / "x", random.Random(5), 0
    np.savez_compressed(tmp_path / "good.npz", inputs=np.zeros((5, 3, 2), np.int8))
    np.save(tmp_path / "good.npy", np.zeros((5, 3, 2), np.int8))
    for name in ("good.npz", "good.npy"):
        good = (tmp_path / name).read_bytes()
        for _ in range(200):
            damaged = bytearray(good[: rng.choice((len(good), rng.randrange(len(good))))])
            for at in rng.sample(range(len(damaged)), min(len(damaged), 3)):
                damaged[at] = rng.randrange(256)
            path.write_bytes(bytes(damaged))
            try:
                load_inputs(path, plain)
            except ModelError:
                refused += 1
    assert refused > 200


def test_expected_outputs_are_for_every_sample(graph: Graph, tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", np.zeros((3, 4), np.int8), np.ones((3, 1, 4), np.int8))
    first, second = load_expected(tmp_path / "e.npz", graph, 3)
    assert (first.shape, second.shape) == ((3, 1, 4), (3, 1, 4))
    with pytest.raises(ModelError, match="expected outputs of 5 inputs, got 3"):
        load_expected(tmp_path / "e.npz", graph, 5)
