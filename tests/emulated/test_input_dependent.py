"""Firmware whose work depends on its input: the least, the middle and the most of it, counted exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_user_firmware import BOARD, codes, run, run_case

from mcu_harness.results.cost_records import Spread
from mcu_harness.scenario.firmware_tables import DialogueStep, FirmwareSpec, Region
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.scenario import load_scenario, scenario_for_firmware
from user_firmware import build

# Two layers whose instructions are known: 2 n + 1, and 3 where a call reaches it at all.
LOOPS = """
#define ASM __attribute__((naked, noinline, aligned(4)))
ASM void loop(int n) { __asm__("1: subs r0, #1\\n bne 1b\\n bx lr"); }
ASM void odd(void) { __asm__("nop\\n nop\\n bx lr"); }
ASM void infer(int n) {
    __asm__("push {r4, lr}\\n mov r4, r0\\n bl loop\\n lsls r4, r4, #31\\n beq 1f\\n bl odd\\n 1: pop {r4, pc}");
}
volatile const unsigned char work[] = {5, 40, 11, 2, 100};
int main(void) { for (unsigned i = 0; i < sizeof work; i++) infer(work[i]); MORE return 0; }
"""
REGIONS = (Region("loop", ("loop",)), Region("odd", ("odd",)))


@pytest.mark.gnu
def test_spreads_are_exact(tmp_path: Path) -> None:
    result = run(build(tmp_path, LOOPS.replace("MORE", "")), begin="infer", regions=REGIONS)
    loop, odd = result.layers
    assert loop.instructions_spread == Spread(2 * 2 + 1, 2 * 11 + 1, 2 * 100 + 1)
    assert odd.instructions_spread == Spread(0, 0, 3)
    each = sorted(2 * n + 1 + 6 + (1 + 3 if n % 2 else 0) for n in (5, 40, 11, 2, 100))
    assert result.spreads["instructions"] == Spread(each[0], each[2], each[4])
    assert (result.value("instructions") or 0) * 5 == sum(each)
    assert result.value("instructions_max") == each[4]
    assert result.value("cycles_max") == result.spreads["cycles"].maximum
    # Only the rounds differ between 2 and 100, none taken from the board's flash for the first time.
    assert loop.cycles_spread is not None
    per_round = (loop.cycles_spread.maximum - loop.cycles_spread.minimum) / 98
    middle = loop.cycles_spread.minimum + (11 - 2) * per_round
    assert loop.cycles_spread.median == pytest.approx(middle, abs=1e-6)


@pytest.mark.gnu
def test_a_call_that_is_cut_off_is_in_no_figure(tmp_path: Path) -> None:
    endless = build(tmp_path, LOOPS.replace("MORE", "infer(1 << 30);"))
    whole = run(build(tmp_path, LOOPS.replace("MORE", ""), name="whole"), begin="infer", regions=REGIONS)
    cut = run(endless, begin="infer", regions=REGIONS, stop_after=50_000)
    assert cut.spreads == whole.spreads
    assert [cut.value(name) for name in ("instructions", "cycles")] == [
        whole.value(name) for name in ("instructions", "cycles")
    ]
    assert cut.layers == whole.layers


@pytest.mark.gnu
def test_a_budget_holds_the_worst_input_and_names_its_layer(tmp_path: Path) -> None:
    elf = build(tmp_path, LOOPS.replace("MORE", ""))
    spec = FirmwareSpec(image=str(elf), begin="infer", regions=REGIONS)
    scenario = replace(
        scenario_for_firmware(elf, (BOARD,), spec),
        budgets={"instructions": Budget("instructions", 100), "instructions_max": Budget("instructions_max", 200)},
    )
    result = run_case(scenario)
    assert codes(result) == ["budget.instructions_max", "firmware.windows-differ"]
    finding = result.findings[0]
    assert finding.measured == 207
    assert [(part.name, part.value) for part in finding.contributors] == [
        ("layer loop", 201), ("outside of layers", 6)
    ]  # fmt: skip
    assert "input 4" in result.measurements["instructions_max"].origin


@pytest.mark.gnu
def test_an_answer_of_many_inferences_counts_each(tmp_path: Path) -> None:
    code = """
#include <stdint.h>
#define USART ((volatile uint32_t *)0x40004400)
__attribute__((naked, noinline)) void work(int n) { __asm__("1: subs r0, #1\\n bne 1b\\n bx lr"); }
static void put(const char *s) { while (*s) { while (!(USART[0] & 0x80)) { } USART[1] = *s++; } }
int main(void) {
    put("ready");
    for (;;) {
        while (!(USART[0] & 0x20)) { }
        int times = USART[1] - '0';
        for (int i = 0; i < times; i++) work(1000 * times);
        put("ready");
    }
}
"""
    elf = build(tmp_path, code)
    steps = [DialogueStep("", "ready"), *(DialogueStep(str(n), "ready", True, n) for n in (1, 2, 4))]
    result = run(elf, dialogue=tuple(steps), regions=(Region("work", ("work",)),))
    assert result.layers[0].instructions_spread == Spread(2001, 4001, 8001)
    assert result.layers[0].instructions == (2001 + 2 * 4001 + 4 * 8001) / 7


@pytest.mark.parametrize("emulator", ["unicorn"])
def test_inputs_of_a_model_differ_layer_by_layer(emulator: str) -> None:
    scenario = load_scenario(Path("scenarios/digits.toml"))
    result = run_case(replace(scenario, boards=("nucleo_l4r5zi",)), emulator)
    assert result.verdict == "pass"
    for name in ("instructions", "cycles"):
        whole = result.spreads[name]
        assert whole.minimum <= (result.value(name) or 0) <= whole.maximum
        layers = [getattr(layer, f"{name}_spread") for layer in result.layers]
        assert sum(spread.minimum for spread in layers) <= whole.minimum
        for layer, spread in zip(result.layers, layers, strict=True):
            assert spread.minimum <= getattr(layer, name) <= spread.maximum
    softmax = next(layer for layer in result.layers if layer.operator == "SOFTMAX")
    convolution = next(layer for layer in result.layers if layer.operator == "CONV_2D")
    assert softmax.instructions_spread is not None and not softmax.instructions_spread.is_flat
    assert convolution.instructions_spread is not None
