"""Measured calls that never return, since a jump takes them off the stack, and calls of differing length."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import calls, codes, run_alike
from mcu_harness.app.session import Session
from user_firmware import build

pytestmark = pytest.mark.gnu

JUMPS = """
#include <setjmp.h>
static jmp_buf place; volatile int sum, errors;
__attribute__((noinline)) int parse(int i) { if (i % 3 == 2) longjmp(place, 1); return i * i; }
__attribute__((noinline)) int work(int i) { volatile int a[8]; a[0] = parse(i); return a[0] + 1; }
__attribute__((noinline)) void after(void) { for (volatile int i = 0; i < 50; i++) { } }
int main(void) {
    for (volatile int i = 0; i < 9; i++) { if (setjmp(place) == 0) sum += work(i); else errors++; after(); }
    return errors == 3 && sum == 117 ? 0 : 1;
}
"""


def test_a_call_that_a_longjmp_leaves_ends_where_it_is_left(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    result = run_alike(build(tmp_path, JUMPS), emulator_name, session, begin="work")
    assert (result.verdict, codes(result)[0]) == ("pass", "firmware.left-windows")
    assert result.findings[0].message.startswith("3 of 9 measured calls did not return: a jump took them off the stack")
    counted = calls(result)
    assert (counted["work"], counted["parse"], counted["longjmp"]) == (1, 1, pytest.approx(1 / 3))
    assert not {"main", "after"} & set(counted), "what runs behind the jump is no part of the call"
    value = result.value("instructions")
    assert value is not None and 10 < value < 100


def test_a_region_whose_beginning_is_reached_again_says_so(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    """Of three calls, each third leaves the region before its end."""
    result = run_alike(build(tmp_path, JUMPS), emulator_name, session, begin="work", end="after")
    assert (result.verdict, codes(result)) == ("pass", [])
    code = JUMPS.replace("else errors++; after();", "else { errors++; continue; } after();")
    result = run_alike(build(tmp_path, code, name="skips"), emulator_name, session, begin="work", end="after")
    assert codes(result)[:2] == ["firmware.open-windows", "firmware.reentered-windows"]
    assert result.findings[0].message.startswith("1 measured region had not come to its end when the run ended")
    assert result.findings[1].message.startswith(
        "`begin` was reached 2 more times in 2 of 6 windows, before `end`: each goes on from the first time to the end"
    )


def test_a_leaf_that_is_called_from_everywhere_is_never_left(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    """It has no frame: its stack pointer is its caller's all the time, in loops and in functions that it jumps to."""
    code = """
volatile int total;
__attribute__((noinline)) int other(int n) { int s = 1; for (int i = 0; i < n; i++) s += total; return s; }
__attribute__((noinline)) int leaf(int n) { int s = 0; for (int i = 0; i < n; i++) s += total; if (n & 1) return s; return other(n); }
__attribute__((noinline)) int twice(int n) { return leaf(n) + leaf(n + 1); }
int main(void) { for (int i = 0; i < 5; i++) total += leaf(i) + twice(i); return 0; }
"""
    image = build(tmp_path, code, flags=["-foptimize-sibling-calls"])
    result = run_alike(image, emulator_name, session, begin="leaf")
    assert result.verdict == "pass" and "firmware.left-windows" not in codes(result)
    assert calls(result)["leaf"] == 1 and "main" not in calls(result)
    (spread,) = [finding for finding in result.findings if finding.code == "firmware.windows-differ"]
    assert spread.message.startswith("15 measured calls took from ")
