"""The largest net that fits, found by running nets on boards: as brute force finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mcu_harness
from mcu_harness.app.cli.main import main
from mcu_harness.app.search.knobs import Value
from mcu_harness.results import results_file
from mcu_harness.results.variant_comparison import comparisons

pytest.importorskip("onnxruntime")
BOARD = "nucleo_g071rb"
TESTS = Path(__file__).parent.parent
FACTORY = """
import sys
from pathlib import Path

sys.path.insert(0, {tests!r})
from onnx_models import OnnxBuilder


def make(channels, size=8):
    builder = OnnxBuilder(1)
    x = builder.conv(builder.input("image", (1, 1, size, size)), (1, channels), pads=[1, 1, 1, 1])
    x = builder.node("Flatten", builder.node("GlobalAveragePool", builder.node("Relu", x)), axis=1)
    builder.output(builder.node("Gemm", x, builder.weights((channels, 3)), builder.constant([0.0] * 3)))
    return builder.write(Path({folder!r}) / f"{{channels}}_{{size}}.onnx")
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("nets")
    (folder / "net.py").write_text(FACTORY.format(tests=str(TESTS), folder=str(folder)))
    return f"{folder / 'net.py'}:make"


def test_bisection_and_brute_force_agree_on_real_nets(factory: str) -> None:
    options = {"board": BOARD, "emulator": "unicorn"}
    channels = {"channels": (1, 12)}
    everything = mcu_harness.search(factory, channels, method="grid", trials=12, maximise="cycles", **options)
    cycles = sorted(trial.worst("cycles") for trial in everything.trials)
    assert len(cycles) == 12
    limit = int(cycles[6]) + 1  # between the seventh net and the eighth
    budgets = {"cycles": limit}
    brute = max(trial.arguments["channels"] for trial in everything.trials if trial.worst("cycles") <= limit)
    found = mcu_harness.search(factory, channels, budgets=budgets, **options)
    assert found.arguments == {"channels": brute}
    assert found.method == "bisect" and len(found.trials) < 12


def test_command_prints_the_trials_and_writes_what_variants_reads(
    factory: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--knob=channels=2,4,8", "--knob=size=6,8", f"--board={BOARD}", "--board=stm32f4_discovery"]
    files = [f"--json={tmp_path / 'found.json'}", f"--results={tmp_path / 'results.json'}"]
    assert main(["search", factory, *words, *files, "--emulator=unicorn", "--budget=arena=300B"]) == 0
    said = capsys.readouterr().out
    plain = json.loads((tmp_path / "found.json").read_text())
    met = [trial["arguments"] for trial in plain["trials"] if trial["meets"]]
    assert 0 < len(met) < 6 and plain["arguments"] in met
    macs = {str(t["arguments"]): t["boards"][BOARD]["figures"]["macs"] for t in plain["trials"] if t["meets"]}
    assert macs[str(plain["arguments"])] == max(macs.values())
    assert "<- the largest" in said and "most macs within arena 300 B: channels=" in said and "made-up samples" in said
    runs = results_file.load(tmp_path / "results.json")
    assert [len(each.entries) for each in comparisons(runs)] == [6, 6]
    assert {run.outputs.mismatches for run in runs.runs} == {0}


def test_function_of_this_process_may_be_searched_and_scored(tmp_path: Path) -> None:
    from onnx_models import OnnxBuilder

    def make(channels: int, kind: str) -> Path:
        builder = OnnxBuilder(1)
        x = builder.conv(builder.input("image", (1, 1, 6, 6)), (1, channels))
        builder.output(builder.node(kind, x))
        return builder.write(tmp_path / f"{kind}_{channels}.onnx")

    def score(arguments: dict[str, Value]) -> float:
        return float(arguments["channels"]) + (100 if arguments["kind"] == "Sigmoid" else 0)

    knobs = {"channels": [1, 2], "kind": ["Relu", "Sigmoid"]}
    found = mcu_harness.search(make, knobs, BOARD, maximise=score, emulator="unicorn")
    assert found.arguments == {"channels": 2, "kind": "Sigmoid"}
    assert (found.function, found.method, found.maximised) == ("make", "grid", "score")


def test_net_that_an_operator_refuses_is_a_trial_with_its_reason(tmp_path: Path) -> None:
    from onnx_models import OnnxBuilder

    def make(kind: str) -> Path:
        builder = OnnxBuilder(1)
        builder.output(builder.node(kind, builder.conv(builder.input("image", (1, 1, 6, 6)), (1, 2))))
        return builder.write(tmp_path / f"{kind}.onnx")

    found = mcu_harness.search(make, {"kind": ["Det", "Relu"]}, BOARD, emulator="unicorn")
    assert found.arguments == {"kind": "Relu"}
    assert [bool(trial.error) for trial in found.trials] == [True, False]
    assert "Det" in found.trials[0].error and str(tmp_path.parent) not in found.trials[0].error.replace(
        str(tmp_path), ""
    )
