"""Images that are legal and rare: parts that only a host reads, code that shares memory, functions that were copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import calls, codes, run
from mcu_harness.scenario.firmware_tables import Region
from user_firmware import build

pytestmark = pytest.mark.gnu


def test_log_strings_that_stay_in_the_file_name_no_code(tmp_path: Path) -> None:
    code = """
__asm__(".section .log,\\"\\",%progbits\\n .global said\\n .type said,%object\\n .size said,4096\\n said: .space 4096\\n .previous");
volatile int total;
__attribute__((noinline)) int square(int x) { return x * x; }
int main(void) { for (int i = 0; i < 5; i++) total += square(i); return total == 30 ? 0 : 1; }
"""
    log = ".log 0 (INFO) : { KEEP(*(.log)) }"
    elf = build(tmp_path, code, sections=log, flash=0, flags=["-Wl,--no-check-sections"])
    result = run(elf, "nrf52840dk")
    assert (result.verdict, codes(result)) == ("pass", [])
    assert calls(result)["square"] == 5 and calls(result)["main"] == 1
    assert "said" not in {symbol.name for symbol in result.symbols}


OVERLAYS = """
#include <stdint.h>
extern uint8_t __load_start_first[], __load_stop_first[], __load_start_second[], __load_stop_second[], place[];
__attribute__((section(".first"), noinline, long_call)) int add(int n) { int s = 0; for (int i = 1; i <= n; i++) s += i; return s; }
__attribute__((section(".second"), noinline, long_call)) int times(int n) { __asm__ volatile("nop\\n nop\\n nop"); int s = 1; for (int i = 1; i <= n; i++) s *= i; return s; }
static void load(const uint8_t *from, const uint8_t *end) {
    for (volatile uint8_t *to = place; from < end;) *to++ = *from++;
    __asm__ volatile("dsb\\n isb");
}
int main(void) {
    load(__load_start_first, __load_stop_first);
    int sum = add(10);
    SECOND
}
"""
PLACE = "place = 0x20008000; OVERLAY 0x20008000 : AT(0x08010000) { .first { *(.first) } .second { *(.second) } }"


def test_overlays_that_run_in_turn_are_named_together(tmp_path: Path) -> None:
    second = "load(__load_start_second, __load_stop_second);\nreturn sum == 55 && times(5) == 120 ? 0 : 1;"
    image = build(tmp_path, OVERLAYS.replace("SECOND", second), sections=PLACE, flags=["-g"])
    result = run(image, regions=(Region("sums", ("add",)),))
    assert (result.verdict, codes(result)) == ("pass", ["firmware.overlays"])
    assert (
        ".first, .second are overlays that share the memory at 0x20008000: functions of several"
        in result.findings[0].message
    )
    both = {name for name in calls(result) if "add" in name or "times" in name}
    assert both in ({"add or times (overlay)"}, {"times or add (overlay)"}) and calls(result)[both.pop()] == 2
    assert [layer.name for layer in result.layers] == ["sums (overlay, or others there)"]
    assert {node.name for node in result.calls} & {"add", "times"} == set()


@pytest.mark.parametrize(("which", "ran", "section"), [(1, "add", ".first"), (2, "times", ".second")])
def test_the_one_overlay_that_ran_has_its_own_name(tmp_path: Path, which: int, ran: str, section: str) -> None:
    second = "if (which & 2) { load(__load_start_second, __load_stop_second); sum += times(5); }\nreturn sum ? 0 : 1;"
    code = OVERLAYS.replace("SECOND", second).replace("int sum = add(10);", "int sum = which & 1 ? add(10) : 0;")
    image = build(tmp_path, code.replace("int main", f"volatile int which = {which};\nint main"), sections=PLACE)
    result = run(image)
    assert (result.verdict, codes(result)) == ("pass", ["firmware.overlays"])
    assert calls(result)[ran] == 1 and not any("overlay" in function for function in calls(result))
    assert f"by its bytes, what ran there was {section}. " in result.findings[0].message


def test_a_copy_that_took_the_place_of_its_function_is_measured_by_its_name(tmp_path: Path) -> None:
    code = """
volatile int total;
__asm__(".type work.constprop.0,%function");
int copied(int n) __asm__("work.constprop.0");
__attribute__((noinline)) int copied(int n) { int s = 0; for (int i = 0; i < n; i++) s += i * i; return s; }
int main(void) { total = copied(7); return 0; }
"""
    result = run(build(tmp_path, code), begin="work")
    assert result.verdict == "pass"
    assert calls(result) == {"work.constprop.0": 1}
