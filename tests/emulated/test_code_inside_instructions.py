"""Code that is entered in the middle of an instruction runs as it would on silicon, and is said to do so."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import codes, run
from user_firmware import build


@pytest.mark.gnu
def test_a_jump_into_an_instruction_is_noted(tmp_path: Path) -> None:
    code = """
__attribute__((naked, noinline)) int twice(int n) { __asm__ volatile("mov.w r3, #0\\n movs r0, #5\\n bx lr"); }
int main(void) {
    int (*inside)(int) = (int (*)(int))((unsigned)&twice + 2);
    return twice(1) == 5 && inside(1) == 5 ? 0 : 1;
}
"""
    result = run(build(tmp_path, code))
    assert (result.verdict, codes(result)) == ("pass", ["firmware.inside-instruction"])
    assert "in twice at" in result.findings[0].message
    assert result.measurements["cycles"].value
