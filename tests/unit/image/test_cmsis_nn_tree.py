"""Where CMSIS-NN is looked for, and what is said of a folder that is not it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mcu_harness.base.errors import HarnessError
from mcu_harness.image.cmsis_nn import VARIABLE, with_cmsis_nn
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planned import planned_sources

TREE = Path(__file__).parents[2] / "data/cmsis_nn"


@pytest.fixture(scope="module")
def sources(small_model: Path) -> Sources:
    return planned_sources(import_tflite(small_model), "cortex-m4", "cmsis-nn").sources


def said(sources: Sources, given: Path | None) -> str:
    with pytest.raises(HarnessError) as caught:
        with_cmsis_nn(sources, given)
    assert caught.value.hint
    return str(caught.value)


def test_a_pack_manager_folder_means_its_newest_version(sources: Sources, tmp_path: Path) -> None:
    for version in ("4.1.0", "10.0.0", "9.0.0"):
        shutil.copytree(TREE, tmp_path / version)
    (tmp_path / "10.0.0/Example.pdsc").write_text('<release date="x" version="10.0.0"/>')
    assert "CMSIS-NN 10.0.0, sha256" in with_cmsis_nn(sources, tmp_path).kernel_set


def test_a_checkout_is_told_by_its_content(sources: Sources, tmp_path: Path) -> None:
    tree = shutil.copytree(TREE, tmp_path / "tree")
    (tree / "Example.pdsc").write_text('<release version="0.0.0">')
    one = with_cmsis_nn(sources, tree).kernel_set
    assert "CMSIS-NN not released, sha256" in one
    other = shutil.copytree(tree, tmp_path / "other")
    (other / "Source/Others/pooling.c").write_text("/* changed */")
    assert with_cmsis_nn(sources, other).kernel_set != one


def test_the_environment_names_it_where_nobody_else_does(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "nobody says where it is" in said(sources, None)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    assert f"{VARIABLE}=" in said(sources, None) and "no such folder" in said(sources, None)
    monkeypatch.setenv(VARIABLE, str(TREE))
    assert with_cmsis_nn(sources, None).library is not None


def test_what_is_no_tree_or_too_old_is_told(sources: Sources, tmp_path: Path) -> None:
    assert "no CMSIS-NN" in said(sources, tmp_path)
    old = shutil.copytree(TREE, tmp_path / "old")
    (old / "Include/Internal/arm_nn_compiler.h").unlink()
    assert "older than 4.1" in said(sources, old)
    lacking = shutil.copytree(TREE, tmp_path / "lacking")
    (lacking / "Source/Others/arm_softmax_s8.c").write_text("void arm_softmax_s8_s16(void) {}")
    assert "CMSIS-NN 7.1.0" in said(sources, lacking) and "has no arm_softmax_s8" in said(sources, lacking)


def test_other_kernels_need_no_tree(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    sources = planned_sources(import_tflite(small_model), "cortex-m4").sources
    assert with_cmsis_nn(sources, None) is sources
