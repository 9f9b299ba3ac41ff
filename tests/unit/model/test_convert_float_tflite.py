"""Float .tflite to int8 by LiteRT's own quantiser: as good as the float model, kept by content, refused clearly."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from float_models import calibration_file, float_tflite
from mcu_harness.base.errors import ModelError
from mcu_harness.base.process import run
from mcu_harness.model.arrays import load_float_inputs, quantized
from mcu_harness.model.convert import child, routes
from mcu_harness.model.convert.tflite_kind import TfliteKind, tflite_kind
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.int8_model import int8_model
from mcu_harness.model.reference import run_reference
from mcu_harness.scenario.quantize import QuantizeSpec
from model_builder import ModelBuilder

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return float_tflite().write(tmp_path / "net.tflite")


@pytest.fixture
def spec(tmp_path: Path) -> QuantizeSpec:
    return QuantizeSpec(calibration_file(tmp_path / "calibration.npz"))


def float_outputs(path: Path, samples: np.ndarray) -> np.ndarray:
    litert = interpreter.Interpreter(model_path=str(path))
    litert.allocate_tensors()
    found = []
    for sample in samples:
        litert.set_tensor(litert.get_input_details()[0]["index"], sample)
        litert.invoke()
        found.append(litert.get_tensor(litert.get_output_details()[0]["index"]))
    return np.stack(found)


def test_the_int8_model_computes_what_the_float_model_does(cache: Path, model: Path, spec: QuantizeSpec) -> None:
    conversion = int8_model(model, spec)
    graph = import_tflite(conversion.model)
    assert [layer.operator for layer in graph.layers] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    assert spec.calibration is not None
    (samples,) = load_float_inputs(spec.calibration, [("image_0", (1, 8, 8, 3))])
    given = quantized(samples, graph.tensors[graph.inputs[0]])
    got = run_reference(conversion.model, graph, [given]).outputs[0]
    expected = float_outputs(model, samples.astype(np.float32))
    difference = (got.astype(float) + 128) / 256 - expected
    assert np.sqrt(np.mean(difference**2)) < 0.02 * np.sqrt(np.mean(expected**2))


def test_layers_keep_the_names_that_they_are_compared_by(cache: Path, model: Path, spec: QuantizeSpec) -> None:
    conversion = int8_model(model, spec)
    graph = import_tflite(conversion.model)
    names = {graph.tensors[index].name for layer in graph.layers for index in layer.outputs}
    assert names == {"features", "flat", "logits", "scores"}
    assert names <= dict(conversion.tensors).keys()
    assert conversion.original is not None
    assert conversion.original.read_bytes() == model.read_bytes()


def test_one_conversion_is_kept_until_something_it_depends_on_changes(
    cache: Path, model: Path, spec: QuantizeSpec, tmp_path: Path
) -> None:
    asked: list[str] = []
    first = int8_model(model, spec, asked.append)
    again = int8_model(model, spec, asked.append)
    assert first == again
    assert asked == ["converting the float .tflite"]
    renamed = tmp_path / "other.tflite"
    renamed.write_bytes(model.read_bytes())
    assert int8_model(renamed, spec).model == first.model
    others = {
        int8_model(model, replace(spec, count=3)).model,
        int8_model(model, replace(spec, per_channel=False)).model,
        first.model,
        int8_model(float_tflite(seed=2).write(tmp_path / "net2.tflite"), spec).model,
        int8_model(model, QuantizeSpec(calibration_file(tmp_path / "c2.npz", count=7))).model,
    }
    assert len(others) == 5


def test_two_conversions_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path, spec: QuantizeSpec
) -> None:
    contents = []
    for name in ("a", "b"):
        monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / name))
        contents.append(int8_model(model, spec).model.read_bytes())
    assert contents[0] == contents[1]


def test_several_inputs_are_told_apart(cache: Path, tmp_path: Path) -> None:
    model = float_tflite(inputs=2).write(tmp_path / "two.tflite")
    spec = QuantizeSpec(calibration_file(tmp_path / "c.npz", inputs=2))
    conversion = int8_model(model, spec)
    assert [layout.name for layout in conversion.inputs] == ["image_0", "image_1"]
    assert len(import_tflite(conversion.model).inputs) == 2


def test_an_int8_model_passes_untouched_and_without_a_cache(cache: Path, small_model: Path) -> None:
    conversion = int8_model(small_model, QuantizeSpec())
    assert conversion.model == small_model
    assert not conversion.source
    assert not cache.exists()


def refused(path: Path, spec: QuantizeSpec) -> ModelError:
    with pytest.raises(ModelError) as caught:
        int8_model(path, spec)
    assert "\n" not in caught.value.message
    return caught.value


def test_no_calibration_is_an_error_and_nothing_is_made_up(cache: Path, model: Path) -> None:
    error = refused(model, QuantizeSpec())
    assert "no calibration samples" in error.message
    assert str(model) in error.message
    assert "--calibration" in error.hint and "[quantize]" in error.hint
    assert not list(cache.rglob("*.tflite"))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"inputs": np.zeros((4, 8, 8, 4), np.float32)}, r"expected shape \(count, 1, 8, 8, 3\) or \(count, 8, 8, 3\)"),
        ({"inputs": np.zeros((4, 8, 8, 3), np.int8)}, "expected float32, got int8"),
        ({"inputs": np.full((4, 8, 8, 3), np.nan, np.float32)}, "NaN or infinity"),
        ({"a": np.zeros(3), "b": np.zeros(3)}, "no array for model input"),
    ],
)
def test_calibration_that_does_not_fit_is_refused(
    cache: Path, model: Path, tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    error = refused(model, QuantizeSpec(tmp_path / "bad.npz"))
    assert re.search(message, error.message)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros((10, 8, 8, 3), np.float32), "never vary: each value is 0"),
        (np.tile(np.arange(192, dtype=np.float32).reshape(1, 8, 8, 3), (3, 1, 1, 1)), "the 3 calibration samples"),
    ],
)
def test_samples_that_do_not_vary_are_a_note(
    cache: Path, model: Path, tmp_path: Path, samples: np.ndarray, said: str
) -> None:
    np.savez(tmp_path / "same.npz", inputs=samples)
    (note,) = int8_model(model, QuantizeSpec(tmp_path / "same.npz")).notes
    assert said in note and "'image_0'" in note


def test_samples_for_a_model_that_is_int8_already_are_a_note_and_have_to_be_there(
    cache: Path, model: Path, spec: QuantizeSpec, tmp_path: Path
) -> None:
    conversion = int8_model(model, spec)
    assert conversion.notes == ()
    assert int8_model(conversion.model, QuantizeSpec()).notes == ()
    (note,) = int8_model(conversion.model, spec).notes
    assert note == "the model is quantised already: samples of calibration.npz are not used"
    assert "none.npz: no such file" in refused(conversion.model, QuantizeSpec(tmp_path / "none.npz")).message


def test_more_samples_than_there_are_is_an_error(cache: Path, model: Path, spec: QuantizeSpec) -> None:
    assert "32 calibration samples, 33 are asked for" in refused(model, replace(spec, count=33)).message


def test_a_missing_calibration_file_is_an_error(cache: Path, model: Path, tmp_path: Path) -> None:
    assert "no such file" in refused(model, QuantizeSpec(tmp_path / "none.npz")).message


def test_a_method_that_litert_has_not_is_an_error(cache: Path, model: Path, spec: QuantizeSpec) -> None:
    assert "percentile" in refused(model, replace(spec, method="percentile")).message


@pytest.mark.parametrize("keep", [300, 1500])
def test_damaged_float_models_get_one_error(cache: Path, model: Path, spec: QuantizeSpec, keep: int) -> None:
    content = model.read_bytes()
    model.write_bytes(content[:keep] + bytes(len(content) - keep))
    with pytest.raises(ModelError) as caught:  # by its own importer, or by the child that LiteRT runs in
        import_tflite(int8_model(model, spec).model)
    assert str(model) in caught.value.message


def test_weights_only_quantisation_is_named(cache: Path, tmp_path: Path, spec: QuantizeSpec) -> None:
    model = float_tflite()
    for operator in model.operators:
        if operator.code == "CONV_2D":
            filters = model.tensors[operator.inputs[1]]
            assert filters.data is not None
            filters.dtype, filters.scales, filters.zero_points = "int8", (0.01,), (0,)
            filters.data = np.round(filters.data * 50).astype(np.int8)
    path = model.write(tmp_path / "hybrid.tflite")
    error = refused(path, spec)
    assert "only its weights are int8" in error.message


def test_kinds_of_files(tmp_path: Path, model: Path, small_model: Path) -> None:
    assert tflite_kind(model) is TfliteKind.FLOAT
    assert tflite_kind(small_model) is TfliteKind.QUANTIZED
    builder = ModelBuilder(seed=1)  # float at its edges alone
    x = builder.input((1, 4), dtype="float32")
    builder.output(builder.dequantize(builder.unary("RELU", builder.unary("QUANTIZE", x))))
    assert tflite_kind(builder.write(tmp_path / "edges.tflite")) is TfliteKind.QUANTIZED


def test_a_worker_that_hangs_is_ended_at_its_deadline(
    cache: Path, model: Path, spec: QuantizeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "run", lambda argv, timeout_s, **more: run(["sleep", "60"], 0.2, **more))
    assert "did not finish within" in refused(model, spec).message


def test_a_worker_that_crashes_is_an_error_with_its_last_line(
    cache: Path, model: Path, spec: QuantizeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = ["sh", "-c", "echo first >&2; echo the last line >&2; kill -SEGV $$"]
    monkeypatch.setattr(child, "run", lambda argv, timeout_s, **more: run(crash, timeout_s, **more))
    error = refused(model, spec)
    assert "killed by signal 11: the last line" in error.message


def test_a_missing_package_gets_the_install_line(
    cache: Path, model: Path, spec: QuantizeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "CALIBRATE", replace(routes.CALIBRATE, needs=(("no_such_module", "litert"),)))
    assert refused(model, spec).hint == 'pip install "pytest-mcu-harness[oracle]"'
