"""Models computed by the functions of a CMSIS-NN tree: one of our own that has its names, and the user's where there is one."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.image.cmsis_nn import VARIABLE, with_cmsis_nn
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.planned import planned_sources
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import scenario_for_model
from model_builder import ModelBuilder

TREE = Path(__file__).parents[1] / "data/cmsis_nn"
BOARDS = ("nucleo_l4r5zi", "nucleo_g0b1re")  # with the DSP extension and without: other scratch
FUNCTIONS = {
    "CONV_2D": "arm_convolve_wrapper_s8",
    "DEPTHWISE_CONV_2D": "arm_depthwise_conv_wrapper_s8",
    "FULLY_CONNECTED": "arm_fully_connected_per_channel_s8",
    "AVERAGE_POOL_2D": "arm_avgpool_s8",
    "MAX_POOL_2D": "arm_max_pool_s8",
    "ADD": "arm_elementwise_add_s8",
    "MUL": "arm_elementwise_mul_s8",
    "SOFTMAX": "arm_softmax_s8",
}


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with every operator that the library has, some several times, and one that it has not."""
    builder = ModelBuilder(seed=5)
    x = builder.input((1, 9, 8, 3))
    x = builder.conv_2d(x, channels=8, kernel=(3, 5), stride=(2, 1), activation="RELU")
    x = builder.depthwise_conv_2d(x, kernel=(3, 3))
    x = builder.binary("ADD", x, builder.depthwise_conv_2d(x, kernel=(5, 3), activation="RELU6"))
    x = builder.conv_2d(x, channels=6, kernel=(1, 1), per_channel=False)
    x = builder.depthwise_conv_2d(x, kernel=(2, 2), multiplier=2, padding="VALID")
    x = builder.pool(x, "MAX")
    x = builder.binary("MUL", x, builder.conv_2d(x, channels=12, kernel=(2, 2), dilation=(1, 2)))
    x = builder.pool(x, stride=(1, 1), padding="SAME")
    x = builder.binary("SUB", x, builder.conv_2d(x, channels=12, kernel=(1, 1)))
    x = builder.fully_connected(builder.reshape(x, (1, -1)), units=11, per_channel=True)
    x = builder.fully_connected(x, units=9, per_channel=False, activation="RELU")
    builder.output(builder.softmax(x))
    path = tmp_path_factory.mktemp("models") / "every.tflite"
    path.write_bytes(builder.build())
    return path


def run(model: Path, tree: Path, board: str, count: int = 4) -> RunResult:
    scenario = scenario_for_model(model, (board,))
    scenario = replace(scenario, kernels="cmsis-nn", inputs=replace(scenario.inputs, count=count))
    session = Session()
    try:
        (case,) = cases_of(scenario)
        return session.run(case, Options(emulator="unicorn", cmsis_nn=tree), gated=False)
    finally:
        session.close()


@pytest.mark.parametrize("board", BOARDS)
def test_every_layer_is_computed_by_its_function_and_equals_litert(every: Path, board: str) -> None:
    result = run(every, TREE, board, count=8)
    assert result.outputs.mismatches == 0 and result.verdict == "pass", result.findings
    kernels = {(layer.operator, layer.kernel) for layer in result.layers if layer.kernel}
    assert kernels >= {(operator, f"cmsis-nn/{function}") for operator, function in FUNCTIONS.items()}
    (sub,) = [kernel for operator, kernel in kernels if operator == "SUB"]
    assert not sub.startswith("cmsis-nn/"), "what the library has not is ours"
    assert "CMSIS-NN 7.1.0, sha256 " in result.provenance.kernel_set


def test_a_function_that_wants_more_scratch_than_was_planned_ends_the_run_in_its_layer(
    every: Path, tmp_path: Path
) -> None:
    tree = shutil.copytree(TREE, tmp_path / "tree")
    file = tree / "Source/Others/pooling.c"
    file.write_text(
        file.read_text().replace("(void)out_width, (void)channels;\n    return 0;", "return 65536 * channels;")
    )
    result = run(every, tree, BOARDS[0], count=1)
    (fault,) = [finding for finding in result.findings if finding.verdict != "pass"]
    assert fault.code.startswith("fault.") and "average_pool_2d" in repr(fault)


def test_versus_has_a_row_for_it(
    small_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(TREE))
    board = ("--board", BOARDS[0])
    assert main(["versus", str(small_model), *board, "--kernels", "cmsis-nn,fast"]) == 0
    rows = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines() if " pass " in line]
    assert rows == ["CMSIS-NN", "mcu-harness"]
    assert main(["versus", str(small_model), *board, "--kernels", "fast"]) == 2
    assert main(["versus", str(small_model), *board, "--kernels", "fast,fastest"]) == 2
    said = capsys.readouterr().err
    assert "nothing to compare with" in said and "no kernels are called 'fastest'" in said


@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no checkout of CMSIS-NN")
@pytest.mark.parametrize("board", BOARDS)
def test_the_users_own_tree_equals_litert(every: Path, board: str) -> None:
    result = run(every, Path(os.environ[VARIABLE]), board, count=8)
    assert result.outputs.mismatches == 0 and result.verdict == "pass", result.findings


def test_files_that_no_function_needs_are_left_out(small_model: Path) -> None:
    sources = planned_sources(import_tflite(small_model), "cortex-m4", "cmsis-nn").sources
    bound = with_cmsis_nn(sources, TREE)
    assert bound.library is not None
    files = {Path(name).name for name in bound.library.files if name.endswith(".c")}
    assert {"arm_convolve_wrapper_s8.c", "arm_nn_vec_mat_mult_t_s8.c"} <= files
    assert "pooling.c" not in files and not any(name.startswith("cmsis-nn/") for name in bound.kernels)
