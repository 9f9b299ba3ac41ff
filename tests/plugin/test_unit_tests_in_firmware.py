"""Unit tests that are firmware, as pytest items: `pytest tests.elf --mcu-board B`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from user_firmware import build

pytestmark = pytest.mark.gnu

# Prints as Unity does; the cases are the firmware's own.
RUNNER = """
#include <stdint.h>
#include <stdlib.h>
#define REG(a) (*(volatile uint32_t *)(a))
static void print(const char *text) { while (*text) { while (!(REG(0x40004400) & 0x80)) { } REG(0x40004404) = (uint8_t)*text++; } }
static int tests, failures;
static const char *problem;
#define CHECK(condition) do { if (!(condition)) { problem = "Expected " #condition; return; } } while (0)
static void end(const char *name) {
    tests++;
    failures += problem != 0;
    print("tests.c:1:"); print(name); print(problem ? ":FAIL: " : ":PASS"); if (problem) print(problem);
    print("\\n");
    problem = 0;
}
#define RUN(name) do { name(); end(#name); } while (0)
volatile uint32_t sum;
static void test_quick(void) { sum = 1; CHECK(sum == 1); }
__attribute__((noinline)) static void test_slow(void) { for (uint32_t i = 0; i < 20000; i++) sum += i; CHECK(sum != 5); }
__attribute__((noinline)) static uint32_t deep(volatile uint8_t *above, int n) {
    volatile uint8_t room[200]; room[0] = above[0]; return n ? deep(room, n - 1) + room[0] : 0;
}
static void test_deep(void) { uint8_t one = 1; sum = deep(&one, 5); }
static void test_broken(void) { sum = 2; CHECK(sum == 3); }
__attribute__((noinline)) static void test_crash(void) { *(volatile uint32_t *)0x60000000 = 1; }
int main(void) {
    RUN(test_quick); RUN(test_slow); RUN(test_deep); RUN(test_broken);
    MORE
    print("4 Tests 1 Failures 0 Ignored\\nFAIL\\n");
    for (;;) { }
}
"""
BOARD = ("--mcu-board", "stm32f4_discovery")


def firmware(folder: Path, more: str = "", text: str = RUNNER) -> Path:
    return build(folder, text.replace("MORE", more or "if (sum == 77) test_crash();"), name="unit_tests")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_each_case_is_an_item_with_its_cycles_and_stack(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    firmware(pytester.path)
    result = run(pytester, "unit_tests.elf", *BOARD, "--mcu-report-dir=reports", "-rA", *workers)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*tests.c:1:test_broken:FAIL: Expected sum == 3*"])
    runs = json.loads((pytester.path / "reports" / "results.json").read_text())["runs"]
    cycles = {run["scenario"]: run["measurements"]["cycles"]["value"] for run in runs}
    stack = {run["scenario"]: run["measurements"]["stack_hwm_bytes"]["value"] for run in runs}
    assert sorted(cycles) == [f"unit_tests.test_{name}" for name in ("broken", "deep", "quick", "slow")]
    assert cycles["unit_tests.test_slow"] > 20_000 * 4
    assert cycles["unit_tests.test_quick"] < 10_000
    assert stack["unit_tests.test_deep"] > 5 * 200 > stack["unit_tests.test_slow"]


def test_cases_are_chosen_as_any_other(pytester: pytest.Pytester) -> None:
    firmware(pytester.path)
    run(pytester, "unit_tests.elf", *BOARD, "-k", "quick or slow").assert_outcomes(passed=2, deselected=2)
    run(pytester, "unit_tests.elf::test_deep", *BOARD).assert_outcomes(passed=1)


def test_a_fault_in_a_case_is_explained_and_the_cases_before_it_count(pytester: pytest.Pytester) -> None:
    firmware(pytester.path, "RUN(test_crash);")
    result = run(pytester, "unit_tests.elf", *BOARD)
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(["*after the last case that ended*", "*in test_crash at 0x*"])


def test_images_are_collected_only_when_named_and_need_a_board(pytester: pytest.Pytester) -> None:
    firmware(pytester.path)
    assert run(pytester).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result = run(pytester, "unit_tests.elf")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*which board?*", "*--mcu-board NAME*"])


def test_firmware_that_reports_no_test_says_what_it_said(pytester: pytest.Pytester) -> None:
    firmware(pytester.path, text=RUNNER.replace("tests.c:1:", "tests.c "))
    result = run(pytester, "unit_tests.elf", *BOARD)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*reported no test of Unity*", "*tests.c test_quick:PASS*"])
