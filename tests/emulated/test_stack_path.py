"""The way to the deepest point of the stack, against the paint, for programs that call in all sorts of ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_user_firmware import BOARD, codes, run, run_case

from mcu_harness.results.memory_records import StackUse
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.firmware_tables import DialogueStep, FirmwareSpec
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.scenario import load_scenario, scenario_for_firmware
from user_firmware import build

gnu = pytest.mark.gnu
NOINLINE = """#include <string.h>
#define OWN __attribute__((noinline, noclone))
#define FILL(b, n, size) do { memset(b, n, size); __asm__ volatile("" ::"r"(b) : "memory"); } while (0)
"""


def stack(result: RunResult) -> StackUse:
    assert result.stack is not None
    assert result.stack.computed_bytes == sum(step.nbytes for step in result.stack.path)
    return result.stack


def functions(use: StackUse) -> list[str]:
    return [step.function for step in use.path]


@gnu
def test_the_deepest_path_is_the_one_that_was_taken(tmp_path: Path) -> None:
    code = """
OWN int shallow(int n) { char b[40]; FILL(b, n, sizeof b); return b[n]; }
OWN int deep(int n) { char b[400]; FILL(b, n, sizeof b); return b[n]; }
OWN int deeper(int n) { char b[4000]; FILL(b, n, sizeof b); return b[n]; }
OWN int middle(int n) { char b[16]; FILL(b, n, sizeof b); return (n > 100 ? deeper(n) : deep(n)) + b[1]; }
OWN int work(int n) { return shallow(n) + middle(n) + 1; }
int main(void) { return work(3) ? 0 : 1; }
"""
    result = run(build(tmp_path, NOINLINE + code), begin="work")
    use = stack(result)
    assert functions(use)[:2] == ["Reset_Handler", "main"]
    assert functions(use)[2:5] == ["work", "middle", "deep"]
    assert use.computed_bytes == result.value("stack_hwm_bytes")
    assert use.note == "equal to the painted mark"
    assert "deeper" in [step.function for step in use.static_path]
    assert result.value("stack_static_bytes") == use.static_bytes == use.computed_bytes + 3600
    assert result.value("stack_margin_bytes") == (64 << 10) - (result.value("stack_hwm_bytes") or 0)  # no data at all


@gnu
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-Os"])
def test_recursion_and_tail_calls_are_followed(tmp_path: Path, level: str) -> None:
    code = """
volatile int sink;
OWN int down(int n) { volatile int local[4] = {n, n, n, n}; int r = n ? down(n - 1) : 0; return r ^ local[3]; }
OWN int last(int n) { volatile int local[8] = {n, n, n, n, n, n, n, n}; return local[2]; }
OWN int tail(int n) { sink = n; return last(n + 1); }
OWN int work(int n) { return down(n) + tail(n); }
int main(void) { for (int i = 1; i < 8; i++) sink = work(i); return 0; }
"""
    result = run(build(tmp_path, NOINLINE + code, flags=[level]), begin="work")
    use = stack(result)
    assert functions(use)[-9:] == ["work", *["down"] * 8]
    assert 0 <= use.computed_bytes - (result.value("stack_hwm_bytes") or 0) <= 4
    assert "down is recursive" in use.open_ends
    assert "at least" in result.measurements["stack_static_bytes"].origin


@gnu
def test_a_whole_program_begins_at_reset(tmp_path: Path) -> None:
    code = "volatile int s; OWN int f(int n) { volatile int l[20]; l[n] = n; return l[n]; } int main(void) { s = f(3); return 0; }"
    use = stack(run(build(tmp_path, NOINLINE + code)))
    assert functions(use) == ["Reset_Handler", "main", "f"]


@gnu
def test_reserved_bytes_that_were_never_written_are_said(tmp_path: Path) -> None:
    code = """
OWN int f(int n) { volatile char b[200]; b[150] = n; return b[150]; }
int main(void) { return f(0); }
"""
    result = run(build(tmp_path, NOINLINE + code))
    use = stack(result)
    unwritten = use.computed_bytes - (result.value("stack_hwm_bytes") or 0)
    assert unwritten >= 148
    assert use.note == f"{unwritten} B more than the painted mark: reserved and never written"


@gnu
def test_a_deepest_point_outside_of_the_measured_part_is_said(tmp_path: Path) -> None:
    code = """
OWN int before(int n) { char b[1000]; FILL(b, n, sizeof b); return b[n]; }
OWN int work(int n) { volatile int l[4] = {n, n, n, n}; return l[n]; }
int main(void) { int n = before(1); return work(n) - 1; }
"""
    result = run(build(tmp_path, NOINLINE + code), begin="work")
    use = stack(result)
    assert functions(use) == ["Reset_Handler", "main", "work"]
    less = (result.value("stack_hwm_bytes") or 0) - use.computed_bytes
    assert less > 900
    assert use.note == f"{less} B less than the painted mark: the deepest point is outside of what was measured"


@gnu
def test_memory_reserved_at_run_time_is_approximate(tmp_path: Path) -> None:
    code = """
OWN int vary(int n) { char b[n]; FILL(b, n, n); return b[n / 2]; }
int main(void) { return vary(300) == 44 ? 0 : 1; }
"""
    use = stack(run(build(tmp_path, NOINLINE + code)))
    assert "vary" in functions(use)
    assert use.note.startswith("approximate: vary moves its stack pointer by what is only known at run time (alloca")
    assert any(why.startswith("vary moves") for why in use.open_ends)


@gnu
def test_calls_through_pointers_leave_the_static_case_open_and_name_where(tmp_path: Path) -> None:
    code = """
OWN int f(int n) { volatile int l[100]; l[n] = n; return l[n]; }
int (*volatile pointer)(int) = f;
OWN int work(int n) { return pointer(n) + 1; }
int main(void) { return work(3) - 4; }
"""
    use = stack(run(build(tmp_path, NOINLINE + code), begin="work"))
    assert functions(use) == ["Reset_Handler", "main", "work", "f"]
    assert "work calls through a pointer" in use.open_ends
    assert "f" not in [step.function for step in use.static_path]


@gnu
def test_the_margin_ends_at_the_heap_or_names_the_last_of_the_data(tmp_path: Path) -> None:
    plain = "char buffer[1000]; volatile int n; int main(void) { buffer[n] = 1; return buffer[1]; }"
    result = run(build(tmp_path, plain, name="plain"))
    use = stack(result)
    assert use.below.endswith("in .bss")
    area = (64 << 10) - 1000 - 4
    assert area - 64 < (result.value("stack_margin_bytes") or 0) < area
    heap = """
#include <stdlib.h>
int main(void) { char *volatile p = malloc(20000); p[19999] = 1; return 0; }
"""
    result = run(build(tmp_path, heap, name="heap"))
    assert stack(result).below == "the end of the heap"
    rest = (result.value("stack_margin_bytes") or 0) + (result.value("heap_hwm_bytes") or 0)
    rest += (result.value("stack_hwm_bytes") or 0) + (result.value("ram_bytes") or 0)
    assert (64 << 10) - 64 <= rest <= 64 << 10


@gnu
def test_stack_budgets_name_the_functions(tmp_path: Path) -> None:
    code = """
OWN int work(int n) { char b[500]; FILL(b, n, sizeof b); return b[n]; }
int main(void) { return work(0); }
"""
    elf = build(tmp_path, NOINLINE + code)
    budgets = {name: Budget(name, 100) for name in ("stack", "stack_static")}
    spec = FirmwareSpec(image=str(elf), begin="work")
    result = run_case(replace(scenario_for_firmware(elf, (BOARD,), spec), budgets=budgets))
    assert codes(result) == ["budget.stack", "budget.stack_static"]
    for finding in result.findings:
        assert finding.contributors[0].name == "function work"
        assert finding.contributors[0].value >= 500


@gnu
def test_a_window_that_opens_in_the_middle_of_a_function_has_its_path(tmp_path: Path) -> None:
    code = """
#define USART ((volatile unsigned *)0x40004400)
OWN int get(void) { while (!(USART[0] & 0x20)) { } return USART[1]; }
OWN int work(int n) { char b[300]; FILL(b, n, sizeof b); return b[n]; }
OWN void say(const char *s) { while (*s) { while (!(USART[0] & 0x80)) { } USART[1] = *s++; } }
volatile int sink;
int main(void) { for (;;) { say("ready"); sink = work(get()); } }
"""
    steps = (DialogueStep("", "ready"), DialogueStep("x", "ready", measure=True))
    result = run(build(tmp_path, NOINLINE + code), dialogue=steps)
    use = stack(result)
    assert functions(use)[:1] == ["Reset_Handler"] and "work" in functions(use) and "get" not in functions(use)
    assert use.computed_bytes == result.value("stack_hwm_bytes")
    assert all(step.nbytes >= 0 for step in use.path)


@gnu
def test_a_stripped_image_has_addresses_for_names(tmp_path: Path) -> None:
    from user_firmware import tool

    code = "volatile int s; OWN int f(int n) { volatile int l[20]; l[n] = n; return l[n]; } int main(void) { s = f(3); return 0; }"
    elf = build(tmp_path, NOINLINE + code)
    known = stack(run(elf))
    tool("strip", tmp_path, elf.name, "-o", "stripped.elf")
    use = stack(run(tmp_path / "stripped.elf", stop_after=2000))
    assert all(step.function.startswith("0x") for step in use.path)
    assert use.computed_bytes == known.computed_bytes


@pytest.mark.parametrize("name", ["digits", "keyword_spotting", "anomaly_detection"])
@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "stm32f746g_disco", "nucleo_l552ze_q"])
def test_inference_uses_what_its_frames_add_up_to(name: str, board: str) -> None:
    result = run_case(replace(load_scenario(Path(f"scenarios/{name}.toml")), boards=(board,)))
    assert result.verdict == "pass"
    use = stack(result)
    # Leaves reserve a word that keeps the stack aligned and is never written.
    assert 0 <= use.computed_bytes - (result.value("stack_hwm_bytes") or 0) <= 4
    assert functions(use)[:3] == ["mcu_reset", "main", "mcu_infer"] and functions(use)[3].startswith("mcu_layer_")
    assert use.static_bytes >= use.computed_bytes and use.open_ends == ()


@gnu
def test_an_exception_adds_the_cores_frame_to_the_path(tmp_path: Path) -> None:
    from user_firmware import START

    start = START.replace(
        "(void *)HardFault_Handler,\n", "(void *)HardFault_Handler, 0, 0, 0, 0, 0, 0, 0, (void *)SVC_Handler,\n"
    ).replace("int main(void);", "int main(void); void SVC_Handler(void);")
    code = """
OWN void SVC_Handler(void) { char b[200]; FILL(b, 1, sizeof b); }
OWN int work(int n) { volatile int l[4] = {n, n, n, n}; __asm__ volatile("svc 0" ::: "memory"); return l[2]; }
int main(void) { return work(0); }
"""
    result = run(build(tmp_path, NOINLINE + code, start=start), begin="work")
    assert result.verdict == "pass", result.findings
    use = stack(result)
    assert functions(use)[2:4] == ["work", "SVC_Handler"]
    assert use.path[2].nbytes >= 16 + 32
    assert use.note == "approximate: an exception was taken in work, whose frame is 32 B or more"
    assert abs(use.computed_bytes - (result.value("stack_hwm_bytes") or 0)) <= 4  # its frame may be aligned
