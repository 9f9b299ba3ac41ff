"""Kinds of model files are a table: an entry is all that a new one needs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.cli import main as cli
from mcu_harness.base.errors import ModelError
from mcu_harness.model.arrays import load_float_inputs
from mcu_harness.model.importers import model_kinds
from mcu_harness.model.importers.model_kinds import (
    INT8_TFLITE,
    MODEL_KINDS,
    Importer,
    ModelKind,
    importer_of,
    kind_of,
    model_suffixes,
)
from mcu_harness.model.int8_model import int8_model
from mcu_harness.model.reference import Reference
from mcu_harness.model.samples import expected_outputs, model_graph
from mcu_harness.scenario.quantize import QuantizeSpec
from mcu_harness.scenario.scenario import InputSpec, OutputSpec

CONVERTED = Path(__file__).parents[2] / "data" / "converted"


def test_suffixes_are_lower_case_and_belong_to_one_kind_each() -> None:
    suffixes = [suffix for kind in MODEL_KINDS for suffix in kind.suffixes]
    assert suffixes and len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_a_suffix_counts_however_it_is_spelled() -> None:
    assert importer_of(Path("A.TFLITE")) is importer_of(Path("a.tflite"))
    assert importer_of(Path("a.tflite")) is INT8_TFLITE.importer
    assert kind_of(Path("A.ONNX")).name == "ONNX"


def test_every_kind_is_read_or_converted_by_a_function_that_is_there() -> None:
    assert len(MODEL_KINDS) > 5
    assert all((kind.importer is None) != (kind.convert is None) for kind in MODEL_KINDS)
    assert all(kind.suffixes or kind.is_one for kind in MODEL_KINDS)
    job = object()
    for kind in MODEL_KINDS:
        if kind.convert:
            with pytest.raises(
                AttributeError, match="'object' object has no attribute"
            ):  # of the job, so the route is there
                kind.convert(job)  # type: ignore[arg-type]


def test_an_unknown_suffix_is_read_as_the_first_kind_whose_error_says_what_it_should_be(tmp_path: Path) -> None:
    (tmp_path / "model.xyz").write_bytes(b"no model at all, whatever it is called")
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        model_graph(tmp_path / "model.xyz")


def test_a_new_entry_is_found_by_samples_by_the_oracle_and_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    real = INT8_TFLITE.importer
    assert real is not None

    def reference(path: Path, graph, inputs, *, all_tensors: bool = False) -> Reference:  # type: ignore[no-untyped-def]
        asked.append((path, inputs[0].shape[0]))
        return replace(real.reference(path, graph, inputs, all_tensors=all_tensors), oracle="an oracle of its own")

    own = Importer(lambda path, custom: replace(real.read(path, custom), name="by its own importer"), reference)
    kinds = (*MODEL_KINDS, ModelKind("renamed", (".renamed",), importer=own))
    monkeypatch.setattr(model_kinds, "MODEL_KINDS", kinds)
    path = tmp_path / "net.renamed"
    path.write_bytes((CONVERTED / "keras_conv1d.tflite").read_bytes())
    assert int8_model(path, QuantizeSpec()).model == path
    assert model_graph(path).name == "by its own importer"
    outputs, oracle = expected_outputs(path, InputSpec(seed=1, count=2), OutputSpec())
    assert outputs is not None and len(outputs[0]) == 2
    assert oracle == "an oracle of its own" and asked == [(path, 2)]
    assert model_suffixes() == ".renamed or .tflite"
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    assert ".renamed or .tflite" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["net.mlmodel", "net.mlpackage", "net.mlmodelc"])
def test_a_core_ml_model_is_named_as_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = tmp_path / name
    if name == "net.mlmodel":
        path.write_bytes(b"\x08\x04")
    else:
        path.mkdir()
    assert cli.main(["run", str(path), "--board", "nucleo_g071rb"]) == 2
    said = capsys.readouterr().err
    assert "it is a Core ML model, which is not read" in said and "that coremltools converted" in said


def test_the_table_is_looked_at_without_loading_a_reader() -> None:
    code = "import sys, mcu_harness.model.importers.model_kinds; print([n for n in ('numpy', 'tflite') if n in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize("suffix", [".onnx", ".pt2", ".keras", ".tflite"])
def test_a_git_lfs_pointer_is_said_to_be_one_whatever_the_kind(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4711\n")
    with pytest.raises(ModelError, match=f"net{suffix}: it is a Git LFS pointer") as error:
        kind_of(path)
    assert "git lfs pull" in error.value.hint


def test_samples_that_git_lfs_did_not_download_are_said_to_be_such(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4711\n")
    with pytest.raises(ModelError, match=r"samples\.npz: it is a Git LFS pointer"):
        load_float_inputs(path, [("x", (1, 4))])
