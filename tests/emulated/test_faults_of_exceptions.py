"""Faults that exceptions bring, and endings of other systems' hooks, each by firmware that does it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from profiled_firmware import failed, profiled
from user_firmware import build

pytestmark = pytest.mark.gnu

# A vector table in RAM whose SVC handler is `handler`.
TABLE = """
static unsigned table[64] __attribute__((aligned(256)));
static void take(void (*handler)(void)) {
    for (int i = 0; i < 16; i++) table[i] = ((unsigned *)0x08000000)[i];
    table[11] = (unsigned)handler;
    *(volatile unsigned *)0xE000ED08 = (unsigned)table;
}
"""
FAULTS = {
    "exception-without-a-stack": (
        "void nothing(void) { }",
        'take(nothing); __asm__ volatile("mov r0, #0x10\\n msr psp, r0\\n mov r0, #2\\n msr control, r0\\n isb\\n svc #0" ::: "r0");',
        "fault.stacking", r"STKERR",
    ),
    "return-without-a-stack": (
        '__attribute__((naked)) void lose(void) { __asm__ volatile("mov r0, #0x60000000\\n msr psp, r0\\n mvn lr, #2\\n bx lr"); }',
        'take(lose); __asm__ volatile("svc #0" ::: "r0");',
        "fault.unstacking", r"UNSTKERR",
    ),
    "masked-supervisor-call": (
        "", '__asm__ volatile("cpsid i\\n svc #0");',
        "fault.supervisor-call", r"HardFault",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_an_exception_is_explained(name: str, tmp_path: Path) -> None:
    top, body, code, detail = FAULTS[name]
    text = f"{TABLE}{top}\n__attribute__((noinline)) int wrong(int n) {{ {body} return n; }}\nint main(void) {{ (void)take; return wrong(2); }}\n"
    (finding,) = failed(profiled(build(tmp_path, text)))
    assert finding.code == code
    assert any(re.search(detail, line) for line in finding.details), finding.details
    assert len(finding.advice) > 20


# Functions by which these systems say that they give up; what they are called for is known by their names.
HOOKS = {
    "vApplicationMallocFailedHook": "fault.out-of-memory",
    "k_sys_fatal_error_handler": "fault.fatal-error",
    "__chk_fail": "fault.buffer-overflow",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_is_called_for_good_is_named_for_what_it_means(hook: str, tmp_path: Path) -> None:
    text = (
        f"__attribute__((noinline)) void {hook}(void) {{ for (;;) {{ }} }}\n"
        f"__attribute__((noinline)) int wrong(int n) {{ {hook}(); return n; }}\nint main(void) {{ return wrong(2); }}\n"
    )
    (finding,) = failed(profiled(build(tmp_path, text)))
    assert finding.code == HOOKS[hook]
    assert "in wrong at" in finding.message
