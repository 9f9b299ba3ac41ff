"""The second oracle: TensorFlow Lite Micro's own kernels, to the bit, dense layers that round twice included."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import OracleMissing, run_reference
from mcu_harness.model.tflm import run_tflm, with_dense_rounded_twice
from model_builder import ModelBuilder

BOARD = "nrf52840dk"


def dense(path: Path) -> Path:
    builder = ModelBuilder(seed=0)
    x = builder.reshape(builder.input((1, 8, 8, 4)), (1, -1))
    wide = builder.fully_connected(x, units=60, activation="RELU", per_channel=True)
    builder.output(builder.fully_connected(wide, units=20, bias=False), builder.fully_connected(x, units=120))
    return builder.write(path)


def scenario(folder: Path, model: Path, oracle: str) -> Path:
    path = folder / f"{oracle}.toml"
    path.write_text(
        f'model = "{model}"\nboards = ["{BOARD}"]\n[inputs]\nseed = 3\ncount = 48\n[outputs]\noracle = "{oracle}"\n'
    )
    return path


def test_firmware_equals_the_oracle_that_was_asked_for_though_they_differ(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    pytest.importorskip("ai_edge_litert.interpreter")
    model = dense(tmp_path / "dense.tflite")
    graph = import_tflite(model)
    inputs = make_inputs(graph, seed=3, count=48)
    tflm, litert = run_tflm(model, graph, inputs).outputs[1], run_reference(model, graph, inputs).outputs[1]
    assert 0 < np.count_nonzero(tflm != litert) < tflm.size / 20, "else nothing is tried here"
    for oracle in ("tflm", "litert"):
        report = tmp_path / f"{oracle}.json"
        assert main(["run", str(scenario(tmp_path, model, oracle)), "--json", str(report)]) == 0
        (run,) = json.loads(report.read_text())["runs"]
        assert run["outputs"]["mismatches"] == 0 and run["outputs"]["inputs"] == 48
        assert run["outputs"]["rounding"].startswith(
            "double in all" if oracle == "tflm" else "single in FULLY_CONNECTED"
        )
        assert ("Micro" in run["outputs"]["oracle"]) == (oracle == "tflm")


def test_other_operators_are_the_same_in_both(small_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    builder = ModelBuilder(seed=4)
    x = builder.input((1, 8, 8, 4))
    y = builder.binary("ADD", builder.depthwise_conv_2d(x), builder.conv_2d(x, channels=4))
    builder.output(builder.logistic(builder.mean(builder.pool(y), [1, 2])))
    model = builder.write(tmp_path / "other.tflite")
    assert main(["run", str(scenario(tmp_path, model, "tflm"))]) == 0


def test_dense_layers_become_convolutions_and_nothing_else_changes(tmp_path: Path) -> None:
    graph = import_tflite(dense(tmp_path / "dense.tflite"))
    twice = with_dense_rounded_twice(graph)
    assert [layer.operator for layer in twice.layers] == ["RESHAPE", *["RESHAPE", "CONV_2D", "RESHAPE"] * 3]
    assert [layer.index for layer in twice.layers] == list(range(10))
    assert (twice.inputs, twice.outputs, twice.macs) == (graph.inputs, graph.outputs, graph.macs)
    assert twice.source != graph.source


def test_without_the_package_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = dense(tmp_path / "dense.tflite")
    graph = import_tflite(model)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OracleMissing, match="it is not installed") as caught:
        run_tflm(model, graph, make_inputs(graph, seed=1, count=1))
    assert "pytest-mcu-harness[tflm]" in caught.value.hint


def test_a_model_that_it_refuses_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro")
    graph = import_tflite(dense(tmp_path / "dense.tflite"))
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\0\0\0\0TFL3" + bytes(100))
    with pytest.raises(ModelError, match=r"broken\.tflite: TensorFlow Lite Micro"):
        run_tflm(broken, graph, make_inputs(graph, seed=1, count=1))
