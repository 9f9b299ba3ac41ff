"""Measured calls that never return, since a jump takes them off the stack, and calls of differing length."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import calls, codes, run
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


def test_a_call_that_a_longjmp_leaves_ends_where_it_is_left(tmp_path: Path) -> None:
    result = run(build(tmp_path, JUMPS), begin="work")
    assert result.verdict == "pass"
    assert "firmware.left-windows" in codes(result)
    (left,) = [finding for finding in result.findings if finding.code == "firmware.left-windows"]
    assert left.message.startswith("3 of 9 measured calls did not return")
    counted = calls(result)
    assert counted["work"] == 1 and counted["parse"] == 1
    assert not {"main", "after"} & set(counted), "what runs behind the jump is no part of the call"
    value = result.measurements["instructions"].value
    assert value is not None and 10 < value < 100


@pytest.mark.renode
@pytest.mark.usefixtures("renode_install")
def test_in_renode_a_call_that_a_longjmp_leaves_is_in_no_figure(tmp_path: Path) -> None:
    result = run(build(tmp_path, JUMPS), begin="work", emulator="renode")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.left-windows", "firmware.open-windows"])
    assert result.findings[0].message.startswith("2 of 8 measured calls did not return")
    assert calls(result) == {"work": 1, "parse": 1}
    value = result.value("instructions")
    assert value is not None and 15 <= value <= 25, "only calls that returned"
    assert result.value("instructions_max") == value, "which take the same, each"


def test_a_leaf_that_is_called_from_everywhere_is_never_left(tmp_path: Path, emulator_name: str) -> None:
    """It has no frame: its stack pointer is its caller's all the time, in loops and in functions that it jumps to."""
    code = """
volatile int total;
__attribute__((noinline)) int other(int n) { int s = 1; for (int i = 0; i < n; i++) s += total; return s; }
__attribute__((noinline)) int leaf(int n) { int s = 0; for (int i = 0; i < n; i++) s += total; if (n & 1) return s; return other(n); }
__attribute__((noinline)) int twice(int n) { return leaf(n) + leaf(n + 1); }
int main(void) { for (int i = 0; i < 5; i++) total += leaf(i) + twice(i); return 0; }
"""
    image = build(tmp_path, code, flags=["-foptimize-sibling-calls"])
    result = run(image, begin="leaf", emulator=emulator_name)
    assert result.verdict == "pass" and "firmware.left-windows" not in codes(result)
    assert calls(result)["leaf"] == 1 and "main" not in calls(result)
    (spread,) = [finding for finding in result.findings if finding.code == "firmware.windows-differ"]
    assert spread.message.startswith("15 measured calls took from ")
