"""The oracle: LiteRT's reference kernels in a process of their own, and the inputs they are given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model import reference
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import OracleMissing, oracle_name, run_reference
from model_builder import ModelBuilder
from model_samples import everything

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, so that LiteRT is asked in it."""
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return everything(seed=2).write(tmp_path_factory.mktemp("reference") / "all.tflite")


def test_outputs_are_those_of_litert_in_process(model: Path) -> None:
    graph = import_tflite(model)
    inputs = make_inputs(graph, seed=4, count=3)
    found = run_reference(model, graph, inputs)
    litert = interpreter.Interpreter(
        model_path=str(model), experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF
    )
    litert.allocate_tensors()
    for sample in range(3):
        for index, values in zip(graph.inputs, inputs, strict=True):
            litert.set_tensor(index, values[sample])
        litert.invoke()
        for index, values in zip(graph.outputs, found.outputs, strict=True):
            expected = litert.get_tensor(index)
            assert values.dtype == expected.dtype
            assert np.array_equal(values[sample], expected)


def test_every_layer_can_be_had(tmp_path: Path) -> None:
    """A chain with views and in-place layers, against the same chain with every tensor made an output."""
    builder = ModelBuilder(seed=8)
    x = builder.input((1, 6, 6, 2))
    tensors = [builder.conv_2d(x, channels=3)]
    tensors.append(builder.unary("RELU", tensors[-1]))
    tensors.append(builder.reshape(tensors[-1], (1, -1)))
    tensors.append(builder.binary("ADD", tensors[-1], tensors[-1]))
    tensors.append(builder.fully_connected(tensors[-1], units=4))
    builder.output(tensors[-1])
    path = builder.write(tmp_path / "chain.tflite")
    builder.output(*tensors[:-1])
    every = builder.write(tmp_path / "every.tflite")
    graph = import_tflite(path)
    inputs = make_inputs(graph, seed=1, count=2)
    found = run_reference(path, graph, inputs, all_tensors=True)
    shown = run_reference(every, import_tflite(every), inputs)
    assert sorted(found.tensors) == sorted(tensors)
    for index, expected in zip([tensors[-1], *tensors[:-1]], shown.outputs, strict=True):
        assert found.tensors[index].shape == (2, *graph.tensors[index].shape)
        assert np.array_equal(found.tensors[index], expected)


def test_the_oracle_has_a_name_and_a_version(model: Path) -> None:
    graph = import_tflite(model)
    assert oracle_name().startswith("LiteRT ")
    assert oracle_name().endswith(" BUILTIN_REF")
    assert run_reference(model, graph, make_inputs(graph, 0, 1)).oracle == oracle_name()


def test_nothing_reaches_the_terminal(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    graph = import_tflite(model)
    run_reference(model, graph, make_inputs(graph, 0, 1))
    assert capfd.readouterr() == ("", "")


def test_a_model_that_litert_refuses_is_one_error(model: Path, tmp_path: Path) -> None:
    graph = import_tflite(model)
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"\x00\x00\x00\x10" + model.read_bytes()[4:])
    with pytest.raises(ModelError, match=r"damaged\.tflite: LiteRT refuses the model"):
        run_reference(damaged, graph, make_inputs(graph, 0, 1))


def test_a_crash_is_one_error(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import os, sys\nprint('F0000 check failed', file=sys.stderr, flush=True)\nos.abort()\n")
    monkeypatch.setattr(reference, "_WORKER", worker)
    graph = import_tflite(model)
    with pytest.raises(ModelError, match=r"LiteRT was killed by signal 6: F0000 check failed"):
        run_reference(model, graph, make_inputs(graph, 0, 1))


def test_an_endless_run_is_stopped(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(reference, "_WORKER", worker)
    graph = import_tflite(model)
    with pytest.raises(ModelError, match=r"did not finish 1 inputs within 0\.5 s"):
        run_reference(model, graph, make_inputs(graph, 0, 1), timeout_s=0.5)


def test_without_litert_the_error_says_how_to_get_it(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    graph = import_tflite(model)
    with pytest.raises(OracleMissing, match=r"pip install \"pytest-mcu-harness\[oracle\]\""):
        run_reference(model, graph, make_inputs(graph, 0, 1))


def test_litert_that_cannot_be_imported_counts_as_missing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "ai_edge_litert"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('libLiteRt.so: wrong ELF class')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    graph = import_tflite(model)
    with pytest.raises(OracleMissing, match="wrong ELF class"):
        run_reference(model, graph, make_inputs(graph, 0, 1))


def test_what_litert_would_read_as_other_bytes_is_not_given_to_it(tmp_path: Path) -> None:
    builder = ModelBuilder(1)
    builder.output(builder.svdf(builder.input((1, 8)), 3, wide=False))
    path = builder.write(tmp_path / "m.tflite")
    graph = import_tflite(path)
    with pytest.raises(OracleMissing, match="layer 00 SVDF: LiteRT has no kernel for a state of int8"):
        run_reference(path, graph, make_inputs(graph, 1, 1))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The models that a worker was started for."""
    found: list[Path] = []
    ask = reference._ask

    def noted(path: Path, *arguments: Any) -> dict[str, Any]:
        found.append(path)
        return ask(path, *arguments)

    monkeypatch.setattr(reference, "_ask", noted)
    return found


def test_the_same_question_is_asked_once(model: Path, asked: list[Path]) -> None:
    graph = import_tflite(model)
    inputs = make_inputs(graph, 0, 2)
    first, again = (run_reference(model, graph, inputs) for _ in range(2))
    assert asked == [model] and first.oracle == again.oracle
    assert len(first.outputs) == len(again.outputs) > 0
    for one, other in zip(first.outputs, again.outputs, strict=True):
        assert one.dtype == other.dtype and np.array_equal(one, other)


def test_another_question_is_asked_anew(
    model: Path, tmp_path: Path, asked: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = import_tflite(model)
    inputs = make_inputs(graph, 0, 1)
    run_reference(model, graph, inputs)
    run_reference(model, graph, make_inputs(graph, 1, 1))
    other = everything(seed=3).write(tmp_path / "other.tflite")
    run_reference(other, import_tflite(other), inputs)
    changed = tmp_path / "worker.py"
    changed.write_bytes(reference._WORKER.read_bytes() + b"\n")
    monkeypatch.setattr(reference, "_WORKER", changed)
    run_reference(model, graph, inputs)
    monkeypatch.setattr(reference, "oracle_name", lambda: "LiteRT 99 BUILTIN_REF")
    assert run_reference(model, graph, inputs).oracle == "LiteRT 99 BUILTIN_REF"
    assert asked == [model, model, other, model, model]


def test_a_damaged_answer_is_asked_for_again(model: Path, cache: Path, asked: list[Path]) -> None:
    graph = import_tflite(model)
    inputs = make_inputs(graph, 0, 1)
    first = run_reference(model, graph, inputs)
    (kept,) = cache.glob("answer/*/*.answer")
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    again = run_reference(model, graph, inputs)
    assert asked == [model, model]
    assert all(np.array_equal(one, other) for one, other in zip(first.outputs, again.outputs, strict=True))
