"""Stack use where the program itself writes over the paint: it comes from the stack pointer then."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import codes, run
from user_firmware import START, build

pytestmark = pytest.mark.gnu

CODE = """
__attribute__((noinline)) int leaf(volatile int *b, int n) { int s = 0; for (int i = 0; i < n; i++) { b[i % 16] = i; s += b[(i * 7) % 16]; } return s; }
__attribute__((noinline)) int work(int n) { volatile int buffer[64]; buffer[0] = 1; return leaf(buffer, n) + buffer[0]; }
volatile int total;
MORE
int main(void) { total = work(100); return 0; }
"""
FILL = """
    { register uint32_t *top __asm__("sp");
      for (volatile uint32_t *at = _ebss; at < top - 16; at++) *at = PATTERN; }
"""


def image(folder: Path, fill: str = "", code: str = CODE.replace("MORE", "")) -> Path:
    start = START.replace("    __libc_init_array();", f"{fill}\n    __libc_init_array();")
    assert not fill or fill in start
    return build(folder, code, start=start)


@pytest.mark.parametrize("pattern", ["0", "0xDEADBEEF"])
def test_ram_that_is_filled_at_the_start_is_no_stack(pattern: str, tmp_path: Path) -> None:
    plain = run(image(tmp_path), begin="work")
    filled = run(image(tmp_path, FILL.replace("PATTERN", pattern)), begin="work")
    assert (filled.verdict, codes(filled)) == ("pass", [])
    figures = [result.measurements["stack_hwm_bytes"].value for result in (plain, filled)]
    assert figures[0] is not None and 256 <= figures[0] <= 320
    assert figures[0] == figures[1]
    margins = [result.measurements["stack_margin_bytes"].value for result in (plain, filled)]
    assert margins[0] == margins[1]


def test_a_stack_that_is_really_used_up_is_still_found(tmp_path: Path) -> None:
    deep = "__attribute__((noinline)) int deep(int n) { volatile char b[4000]; b[0] = n; return n ? deep(n - 1) + b[0] : 0; }"
    code = CODE.replace("MORE", deep).replace("work(100)", "deep(40)")
    for fill in ("", FILL.replace("PATTERN", "0")):
        assert codes(run(image(tmp_path, fill, code)))[0] == "run.stack-overflow"


def test_an_array_of_variable_length_leaves_the_mark_to_the_paint(tmp_path: Path) -> None:
    variable = "__attribute__((noinline)) int sum(int n) { int b[n]; for (int i = 0; i < n; i++) ((volatile int *)b)[i] = i; return b[n - 1]; }"
    code = CODE.replace("MORE", variable).replace("work(100)", "sum(500) + work(100)")
    value = run(image(tmp_path, code=code)).measurements["stack_hwm_bytes"].value
    assert value is not None and 2000 <= value <= 2100
