"""Kinds of model files are a table: an entry is all that a new one needs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.cli import main as cli
from mcu_harness.base.errors import ModelError
from mcu_harness.model.importers import catalogue
from mcu_harness.model.importers.catalogue import IMPORTERS, Importer, importer_of, model_suffixes
from mcu_harness.model.reference import Reference
from mcu_harness.model.samples import expected_outputs, model_graph
from mcu_harness.scenario.scenario import InputSpec, OutputSpec

CONVERTED = Path(__file__).parents[2] / "data" / "converted"


def test_suffixes_are_lower_case_and_belong_to_one_importer_each() -> None:
    suffixes = [suffix for importer in IMPORTERS for suffix in importer.suffixes]
    assert suffixes and len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_a_suffix_counts_however_it_is_spelled() -> None:
    assert importer_of(Path("A.TFLITE")) is importer_of(Path("a.tflite"))
    assert ".tflite" in importer_of(Path("a.tflite")).suffixes


def test_an_unknown_suffix_is_read_as_the_first_kind_whose_error_says_what_it_should_be(tmp_path: Path) -> None:
    (tmp_path / "model.xyz").write_bytes(b"no model at all, whatever it is called")
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        model_graph(tmp_path / "model.xyz")


def test_a_new_entry_is_found_by_samples_by_the_oracle_and_by_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    real = IMPORTERS[0]

    def reference(path: Path, graph, inputs, *, all_tensors: bool = False) -> Reference:  # type: ignore[no-untyped-def]
        asked.append((path, inputs[0].shape[0]))
        return replace(real.reference(path, graph, inputs, all_tensors=all_tensors), oracle="an oracle of its own")

    own = Importer(
        "renamed", (".renamed",), lambda path: replace(real.read(path), name="by its own importer"), reference
    )
    monkeypatch.setattr(catalogue, "IMPORTERS", (*IMPORTERS, own))
    path = tmp_path / "net.renamed"
    path.write_bytes((CONVERTED / "keras_conv1d.tflite").read_bytes())
    assert model_graph(path).name == "by its own importer"
    outputs, oracle = expected_outputs(path, InputSpec(seed=1, count=2), OutputSpec())
    assert outputs is not None and len(outputs[0]) == 2
    assert oracle == "an oracle of its own" and asked == [(path, 2)]
    assert model_suffixes() == ".renamed or .tflite"
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    assert ".renamed or .tflite" in " ".join(capsys.readouterr().out.split())


def test_the_table_is_looked_at_without_loading_a_reader() -> None:
    code = (
        "import sys, mcu_harness.model.importers.catalogue; print([n for n in ('numpy', 'tflite') if n in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"
