"""What the page for those who come from Renode says, done with the files that stand in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import load_scenario
from user_firmware import build

pytestmark = [pytest.mark.gnu, pytest.mark.renode, pytest.mark.usefixtures("renode_install")]

PAGE = (Path(__file__).parents[2] / "docs/howto/from-renode.md").read_text("utf-8")
# Commands end with a line feed; what the sensor says is in the answer.
APPLICATION = """
#include <stdint.h>
#define W(at) (*(volatile uint32_t *)(0x40004400 + (at)))
#define SENSOR (*(volatile uint32_t *)0x40010800)
static void put(const char *s) { while (*s) { while (!(W(0) & 0x80)) { } W(4) = *s++; } }
static int get(void) { while (!(W(0) & 0x20)) { } return W(4); }
volatile int total;
__attribute__((noinline)) void infer(void) { for (int i = 0; i < 100; i++) total += i; }
int main(void) {
    W(0x0C) = 1 << 13 | 1 << 3 | 1 << 2;
    put(SENSOR == 42 && *(volatile uint32_t *)0x10000100 == 0xFA17 ? "ready\\r\\n" : "no sensor\\r\\n");
    for (;;) { while (get() != '\\n') { } infer(); put("done\\r\\n"); }
}
"""


def block(language: str, having: str) -> str:
    """The one block of the page in that language that has the text in it."""
    (found,) = (text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if having in text)
    return str(found)


def test_the_scenario_the_script_for_all_versions_and_the_includes_do_what_is_said(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "app.toml").write_text(block("toml", "[renode]"))
    (tmp_path / "build").mkdir()
    build(tmp_path, APPLICATION).rename(tmp_path / "build/app.elf")
    (tmp_path / "sensor.py").write_text(block("python", "IsRead"))
    (tmp_path / "sensor.repl").write_text(
        "sensor: Python.PythonPeripheral @ sysbus 0x40010800\n"
        f'    size: 0x100\n    initable: true\n    filename: "{tmp_path / "sensor.py"}"\n'
    )
    (tmp_path / "faults.resc").write_text("sysbus WriteDoubleWord 0x10000100 0xFA17\n")
    (case,) = cases_of(load_scenario(tmp_path / "app.toml"))
    result = session.run(case, Options(emulator="renode"))
    assert result.verdict == "pass", result.findings
    assert result.console == "ready\r\ndone"  # which ends the dialogue, and with it the run
    assert (result.value("instructions") or 0) > 300
