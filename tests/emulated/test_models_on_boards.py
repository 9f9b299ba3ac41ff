"""Models on emulated boards: outputs equal LiteRT's reference kernels on every core, with compilers in turn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.image.toolchain import available_toolchains
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.scenario import InputSpec, load_scenario, scenario_for_model
from sweeps import count, pairs, rotated

SCENARIOS = sorted((Path(__file__).parent.parent.parent / "scenarios").glob("*.toml"))
COMPILERS = [toolchain.name for toolchain in available_toolchains()]
THIRD_PARTY = ("kws_ref_model", "pretrainedResnet_quant", "ad01_int8", "hello_world_int8")
INPUTS = count(6, 20)


def case_of(model: Path, board: str, inputs: InputSpec) -> Case:
    return cases_of(replace(scenario_for_model(model, (board,)), inputs=inputs))[0]


def one_board_per_target() -> list[str]:
    """The board with most RAM for every set of compiler flags that the embedded emulator can run."""
    chosen: dict[str, str] = {}
    for name in board_names():
        board = find_board(name)
        if emulator_entry("unicorn").supports(board):
            continue
        best = chosen.get(board.target)
        if best is None or find_board(best).data_memory.size < board.data_memory.size:
            chosen[board.target] = name
    return sorted(chosen.values())


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


def run(session: Session, case: Case, toolchain: str) -> RunResult:
    return session.run(case, Options(emulator="unicorn", toolchain=toolchain))


def assert_right(result: RunResult, inputs: int) -> None:
    assert result.verdict is Verdict.PASS, [finding.message for finding in result.findings]
    assert result.outputs.oracle.startswith("LiteRT")
    assert (result.outputs.inputs, result.outputs.mismatches) == (inputs, 0)


# Every model on every core, and every scenario, with one compiler and with the other in turn; with both in a whole sweep.
@pytest.mark.third_party
@pytest.mark.parametrize(
    ("model", "board", "name"),
    [
        (model, board, name)
        for row, model in enumerate(THIRD_PARTY)
        for board, name in pairs(one_board_per_target(), rotated(COMPILERS, row))
    ],
)
def test_third_party_model_is_bit_exact_on_every_core(
    session: Session, third_party_models: Path, model: str, board: str, name: str
) -> None:
    path = third_party_models / f"{model}.tflite"
    result = run(session, case_of(path, board, InputSpec(seed=11, count=INPUTS)), name)
    if any(finding.code.startswith("fit.") for finding in result.findings):
        assert result.value("flash_bytes") > 128 * 1024 or result.value("ram_bytes") > 16 * 1024
        return
    assert_right(result, INPUTS)


@pytest.mark.parametrize(("path", "name"), pairs(SCENARIOS, COMPILERS), ids=lambda value: getattr(value, "stem", value))
def test_scenario_passes_on_its_boards(session: Session, path: Path, name: str) -> None:
    scenario = load_scenario(path)
    for case in cases_of(scenario):
        result = run(session, case, name)
        assert result.verdict is Verdict.PASS, (case.board.name, [finding.message for finding in result.findings])
        assert result.outputs.mismatches == 0
