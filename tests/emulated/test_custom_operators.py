"""Custom operators that the user gives C for: what the C is given, what is compared, and what is said of mistakes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from host_firmware import host_compiler
from mcu_harness.app.cli.main import main
from mcu_harness.app.pipeline import run_case
from mcu_harness.base.errors import BuildError, HarnessError, ModelError, ScenarioError
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import load_scenario
from model_builder import ModelBuilder

# Of every channel c: the values in reverse order along the row, plus weights[c], plus the option; over scratch, and saturated.
_C = """
#include "mcu_custom.h"

void mirror_rows(const struct mcu_custom *operation)
{
    const struct mcu_custom_input *const in = &operation->inputs[0];
    const struct mcu_custom_input *const weights = &operation->inputs[1];
    const int8_t *const from = in->data;
    const int8_t *const added = weights->data;
    int8_t *const to = operation->outputs[0].data;
    int32_t *const row = operation->scratch;
    const int32_t channels = in->tensor.shape[in->tensor.rank - 1];
    const int32_t zero = operation->outputs[0].tensor.zero_point;
    if (operation->input_count != 2 || operation->output_count != 1 || operation->options_bytes != 1u ||
        operation->scratch_bytes != sizeof(int32_t) * (uint32_t)channels || in->tensor.type != MCU_CUSTOM_INT8 ||
        in->tensor.elements != 24 || weights->tensor.scale_count != 3 || weights->tensor.scales[1] != 0.5f ||
        in->tensor.scales[0] != 0.25f || in->tensor.zero_point != zero) {
        return;
    }
    for (int32_t i = 0; i < in->tensor.elements; i += channels) {
        for (int32_t c = 0; c < channels; ++c) {
            row[c] = from[i + channels - 1 - c] + added[c] + operation->options[0];
        }
        for (int32_t c = 0; c < channels; ++c) {
            to[i + c] = (int8_t)(row[c] > 127 ? 127 : row[c]);
        }
    }
}
"""
_SCENARIO = """
model = "custom.tflite"
boards = ["nucleo_g071rb"]
[inputs]
seed = 3
count = 3
[operators.MirrorRows]
source = "mirror.c"
function = "mirror_rows"
scratch = "12 B"
"""
_WEIGHTS = np.array([5, -7, 11], np.int8)
_OPTION = 9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with the operator between two others, its C, and a scenario."""
    builder = ModelBuilder(seed=1)
    x = builder.operator("NEG", [builder.input((1, 8, 3), 0.25, -1)], builder.tensor((1, 8, 3), 0.25, -1))
    weights = builder.constant(_WEIGHTS, (0.25, 0.5, 0.75))
    y = builder.operator(
        "MirrorRows", [x, weights], builder.tensor((1, 8, 3), 0.25, -1), custom_options=bytes([_OPTION])
    )
    builder.output(builder.operator("RELU", [y], builder.tensor((1, 8, 3), 0.25, -1)))
    builder.write(tmp_path / "custom.tflite")
    (tmp_path / "mirror.c").write_text(_C)
    (tmp_path / "scenario.toml").write_text(_SCENARIO)
    return tmp_path


def run(folder: Path, toolchain: Toolchain) -> RunResult:
    case = cases_of(load_scenario(folder / "scenario.toml"))[0]
    return run_case(case, emulator_entry("unicorn").make(), toolchain.name, lambda _: None)


def test_it_is_given_tensors_options_and_scratch_and_compared_with_expected_outputs(
    folder: Path, toolchain: Toolchain
) -> None:
    scenario = load_scenario(folder / "scenario.toml")
    (given,) = samples_for(scenario.models[0], scenario.inputs, custom=scenario.operators).inputs
    negated = (-given).astype(int)  # LiteRT negates the bytes, and -128 stays what it is
    expected = np.maximum(np.minimum(negated[..., ::-1] + _WEIGHTS + _OPTION, 127), -1).astype(np.int8)
    np.savez(folder / "expected.npz", outputs=expected)
    (folder / "scenario.toml").write_text(_SCENARIO + '[outputs]\nfile = "expected.npz"\n')
    result = run(folder, toolchain)
    assert (result.verdict, result.outputs.mismatches) == (Verdict.PASS, 0)
    row = result.layers[1]
    assert (row.kernel, row.instructions > 24) == ("custom/mirror_rows", True)


_USER_PROGRAM = """
#include <stdio.h>
#include "mcu_model.h"
int main(void) {
    while (fread(MCU_INPUT_0, 1, MCU_INPUT_0_ELEMENTS, stdin) == MCU_INPUT_0_ELEMENTS) {
        mcu_infer();
        fwrite(MCU_OUTPUT_0, 1, MCU_OUTPUT_0_ELEMENTS, stdout);
    }
    return 0;
}
"""


def test_build_of_the_scenario_takes_the_c_along(folder: Path, tmp_path: Path) -> None:
    scenario, made = load_scenario(folder / "scenario.toml"), tmp_path / "made"
    assert main(["build", str(folder / "scenario.toml"), "--output", str(made)]) == 0
    assert read_program(made / "firmware.elf").symbol("mirror_rows").address
    assert "generated/custom_0.c" in (made / "CMakeLists.txt").read_text()
    (given,) = samples_for(scenario.models[0], scenario.inputs, custom=scenario.operators).inputs
    (tmp_path / "user.c").write_text(_USER_PROGRAM)
    sources = [path for part in ("generated", "kernels") for path in sorted((made / part).rglob("*.c"))]
    folders = [f"-I{made / part}" for part in ("generated", "include", "kernels")]
    subprocess.run(
        [host_compiler()[0], "-std=c99", *folders, *sources, tmp_path / "user.c", "-o", tmp_path / "user"], check=True
    )
    ran = subprocess.run([tmp_path / "user"], input=given.tobytes(), capture_output=True, check=True)
    negated = (-given).astype(int)
    expected = np.maximum(np.minimum(negated[..., ::-1] + _WEIGHTS + _OPTION, 127), -1).astype(np.int8)
    assert ran.stdout == expected.tobytes()


def test_without_expected_outputs_nothing_is_said_to_be_right(folder: Path, toolchain: Toolchain) -> None:
    result = run(folder, toolchain)
    assert (result.verdict, result.findings[0].code) == (Verdict.NOT_MEASURED, "output.unchecked")
    assert "nobody but the model's maker knows what 'MirrorRows' computes" in result.findings[0].message
    assert "[outputs] file" in result.findings[0].message
    assert result.measurements["cycles"].value


def test_without_c_the_model_is_refused_with_the_way_to_give_it(folder: Path) -> None:
    with pytest.raises(ModelError, match="CUSTOM 'MirrorRows'") as refused:
        model_graph(folder / "custom.tflite")
    assert "[operators.NAME] source" in refused.value.hint


def test_an_error_in_the_c_names_the_users_file_and_line(folder: Path, toolchain: Toolchain) -> None:
    (folder / "mirror.c").write_text(_C.replace("int32_t *const row", "int32_t *const wrong"))
    with pytest.raises(BuildError, match=r"mirror\.c:\d+: does not compile"):
        raise_what_went_wrong(folder, toolchain)


def raise_what_went_wrong(folder: Path, toolchain: Toolchain) -> None:
    """What `prepare` raises, which a result only quotes."""
    from mcu_harness.app.prepare_model import prepare

    case = cases_of(load_scenario(folder / "scenario.toml"))[0]
    prepare(case, emulator_entry("unicorn").make(), toolchain.name, lambda _: None)


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ('source = "mirror.c"', 'source = "none.c"', "operators.MirrorRows.source: no such file"),
        ('source = "mirror.c"', 'source = "custom.tflite"', "is no C file"),
        ('source = "mirror.c"', "", "operators.MirrorRows.source: missing"),
        ('function = "mirror_rows"', 'function = "a b"', "'a b' is no name that a C function"),
        ('function = "mirror_rows"', 'function = "mcu_infer"', "is no name that a C function of yours"),
        ('function = "mirror_rows"', 'function = "mirror"', r"mirror\.c has no function mirror"),
        ('function = "mirror_rows"', "", r"mirror\.c has no function MirrorRows"),
        ('scratch = "12 B"', 'scratch = "1 GiB"', "more than any Cortex-M has"),
        ('scratch = "12 B"', 'scratc = "12 B"', "scratc"),
    ],
)
def test_mistakes_in_the_table_name_file_line_and_key(folder: Path, line: str, instead: str, message: str) -> None:
    (folder / "scenario.toml").write_text(_SCENARIO.replace(line, instead))
    with pytest.raises(ScenarioError, match=message) as error:
        load_scenario(folder / "scenario.toml")
    assert f"{folder / 'scenario.toml'}:" in str(error.value)
    assert isinstance(error.value, HarnessError)
