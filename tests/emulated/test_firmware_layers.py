"""Functions of the user's own firmware as layers: regions, single calls, operators of known runtimes."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from firmware_runs import BOARD, SQUARES, calls, codes, run
from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import ElfError, ScenarioError
from mcu_harness.scenario.firmware_tables import Region
from user_firmware import build, tool

pytestmark = pytest.mark.gnu


def test_regions_make_layers_of_functions_and_of_all_they_call(tmp_path: Path) -> None:
    elf = build(tmp_path, SQUARES)
    result = run(elf, begin="main", regions=(Region("inner", ("squ*",)), Region("outer", ("sum",))))
    layers = {layer.name: layer.instructions or 0 for layer in result.layers}
    own = {function.name: function.self_instructions for function in result.functions}
    assert layers == {"inner": own["square"], "outer": own["sum"]}
    everything = run(elf, begin="main", regions=(Region("all", ("sum",)),))
    assert everything.layers[0].instructions == own["square"] + own["sum"]
    with pytest.raises(ElfError, match="no function matches 'sqare'") as caught:
        run(elf, regions=(Region("typo", ("sqare",)),))
    assert "square" in caught.value.hint


def test_each_call_of_a_region_is_a_layer_in_the_order_of_the_calls(tmp_path: Path) -> None:
    result = run(build(tmp_path, SQUARES), begin="main", regions=(Region("sum", ("sum",)),), each_call=True)
    assert [layer.name for layer in result.layers] == ["sum 1", "sum 2", "sum 3", "sum 4", "sum 5"]
    costs = [layer.instructions or 0 for layer in result.layers]
    steps = {after - before for before, after in itertools.pairwise(costs)}
    assert len(steps) == 1 and steps.pop() > 10, "each call sums over ten numbers more"
    whole = run(tmp_path / "firmware.elf", begin="main", regions=(Region("sum", ("sum",)),))
    assert sum(costs) == whole.layers[0].instructions
    assert calls(result) == calls(whole), "the flat profile is the same"


def test_what_runs_outside_of_all_regions_is_a_row_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = build(tmp_path, SQUARES)
    command = ["profile", str(elf), "--board", BOARD, "--emulator", "unicorn", "--begin", "main"]
    assert main([*command, "--region", "inner=square"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    shares = {row[0]: float(row[row.index("%") - 1]) for row in rows if row[:1] in (["inner"], ["(outside"])}
    assert shares.keys() == {"inner", "(outside"}
    assert sum(shares.values()) == pytest.approx(100, abs=0.2) and min(shares.values()) > 10
    assert main([*command, "--region", "all=main"]) == 0
    assert "(outside" not in capsys.readouterr().out


def test_calls_are_told_apart_in_every_window_alike(tmp_path: Path) -> None:
    code = SQUARES.replace("int main(void) {", "void work(void) {").replace("return 0;", "")
    elf = build(tmp_path, code + "int main(void) { work(); work(); work(); return 0; }", flags=["-fno-inline"])
    result = run(elf, begin="work", regions=(Region("sum", ("sum",)),), each_call=True)
    once = run(elf, begin="main", end="", regions=(Region("sum", ("sum",)),), each_call=True)
    assert [layer.instructions for layer in result.layers] == [layer.instructions for layer in once.layers[:5]]
    assert len(once.layers) == 15


def test_functions_of_one_name_in_two_files_are_two(tmp_path: Path) -> None:
    other = "volatile int n;\n__attribute__((noinline)) static void step(void) { n += 3; n *= 2; }\nvoid {0}(void) {{ step(); }}"
    for name in ("left", "right"):
        (tmp_path / f"{name}.c").write_text(
            other.replace("{0}", name)
            .replace("{{", "{")
            .replace("}}", "}")
            .replace("n;", f"n_{name};", 1)
            .replace("n +", f"n_{name} +")
            .replace("n *", f"n_{name} *")
        )
        tool("gcc", tmp_path, "-mcpu=cortex-m4", "-mthumb", "-O1", "-c", f"{name}.c", "-o", f"{name}.o")
    code = "void left(void), right(void);\nint main(void) { left(); right(); right(); return 0; }"
    elf = build(tmp_path, code, libraries=["left.o", "right.o"])
    result = run(elf, begin="main", regions=(Region("r", ("right.c:step",)),))
    assert {name: n for name, n in calls(result).items() if "step" in name} == {"left.c:step": 1, "right.c:step": 2}
    own = {function.name: function.self_instructions for function in result.functions}
    assert result.layers[0].instructions == own["right.c:step"]
    with pytest.raises(ElfError, match=r"begin: 'st\?p' is 2 functions") as caught:
        run(elf, begin="st?p")
    assert "left.c:step" in caught.value.hint


def test_operators_of_a_known_runtime_are_layers_in_the_order_of_the_graph(tmp_path: Path) -> None:
    kernel = """
struct TfLiteContext; struct TfLiteNode; volatile int sink_NAME;
namespace tflite { namespace { __attribute__((noinline)) int EvalInt8(TfLiteContext *, TfLiteNode *) {
    for (int i = 0; i < COUNT; i++) sink_NAME = i; return 0; } }
int (*Register_NAME())(TfLiteContext *, TfLiteNode *) { return EvalInt8; } }
"""
    for name, count in (("conv", "100"), ("softmax", "7")):
        (tmp_path / f"{name}.cc").write_text(kernel.replace("NAME", name).replace("COUNT", count))
        tool("g++", tmp_path, "-mcpu=cortex-m4", "-mthumb", "-O1", "-c", f"{name}.cc", "-o", f"{name}.o")
    code = """
struct TfLiteContext; struct TfLiteNode;
namespace tflite {
int EvalAddInt8(TfLiteContext *, TfLiteNode *) { return 0; }
namespace ops { namespace micro { namespace depthwise_conv { int Eval(TfLiteContext *, TfLiteNode *) { return 0; } } } }
int (*Register_conv())(TfLiteContext *, TfLiteNode *); int (*Register_softmax())(TfLiteContext *, TfLiteNode *);
struct MicroInterpreter { int (*steps[5])(TfLiteContext *, TfLiteNode *);
    __attribute__((noinline)) int Invoke() { int bad = 0; for (auto step : steps) bad |= step(nullptr, nullptr); return bad; } };
}
volatile int r;
int main() { tflite::MicroInterpreter i{{tflite::Register_conv(), tflite::Register_conv(), tflite::Register_softmax(), tflite::EvalAddInt8, tflite::ops::micro::depthwise_conv::Eval}};
    r = i.Invoke(); r = i.Invoke(); return r; }
"""
    elf = build(tmp_path, code, language="c++", libraries=["conv.o", "softmax.o"])
    result = run(elf, layers="tflm")
    assert [(layer.name, layer.operator) for layer in result.layers] == [
        ("00 CONV_2D", "CONV_2D"),
        ("01 CONV_2D", "CONV_2D"),
        ("02 SOFTMAX", "SOFTMAX"),
        ("03 ADD", "ADD"),
        ("04 DEPTHWISE_CONV_2D", "DEPTHWISE_CONV_2D"),
    ]
    first, second, last, *_ = (layer.instructions or 0 for layer in result.layers)
    assert first == second > 10 * last > 100
    assert result.value("instructions") == sum(layer.instructions or 0 for layer in result.layers) + sum(
        f.self_instructions for f in result.functions if f.name == "tflite::MicroInterpreter::Invoke"
    )
    assert codes(result) == [] and codes(run(elf)) == ["firmware.runtime"], "who does not know of it is told"
    tool("strip", tmp_path, "-o", "stripped.elf", elf.name)
    with pytest.raises(ElfError, match="no operator of TensorFlow Lite Micro is in it"):
        run(tmp_path / "stripped.elf", layers="tflm")
    with pytest.raises(ScenarioError, match="no runtime is called 'tvm'") as caught:
        run(elf, layers="tvm")
    assert "tflm" in caught.value.hint
