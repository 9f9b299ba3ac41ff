"""Faults that exceptions bring, and endings of other systems' hooks, each by firmware that does it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fault_programs import FAULTS_OF_EXCEPTIONS, exception_program

from profiled_firmware import failed, profiled
from user_firmware import build

pytestmark = pytest.mark.gnu


@pytest.mark.parametrize("name", FAULTS_OF_EXCEPTIONS)
def test_a_fault_of_an_exception_is_explained(name: str, tmp_path: Path) -> None:
    _, _, code, detail = FAULTS_OF_EXCEPTIONS[name]
    text = exception_program(name)
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
