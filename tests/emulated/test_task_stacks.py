"""How deep the stacks of tasks were, named by the arrays that they lie in."""

from __future__ import annotations

from pathlib import Path

import pytest
from task_firmware import firmware

from firmware_runs import run
from mcu_harness.results.memory_records import TaskStackUse

pytestmark = pytest.mark.gnu

CODE = """
volatile int total;
__attribute__((noinline)) int leaf(volatile int *b, int n) { int s = 0; for (int i = 0; i < n; i++) { b[i] = i + 1; s += b[i]; YIELD } return s; }
__attribute__((noinline)) int large(void) { volatile int b[100]; return leaf(b, 100) + b[99]; }
__attribute__((noinline)) int small(void) { volatile int b[4]; return leaf(b, 4) + b[3]; }
void first(void) { total += large(); yield(); finish(); }
void second(void) { total += small(); yield(); finish(); }
"""


def stacks(image: Path) -> dict[str, tuple[int, int | None]]:
    result = run(image, stop="stop")
    assert result.verdict == "pass" and result.stack is not None
    return {task.name: (task.used_bytes, task.size_bytes) for task in result.stack.tasks}


def test_each_tasks_stack_is_named_with_what_was_used_of_it(tmp_path: Path) -> None:
    found = stacks(firmware(tmp_path, CODE.replace("YIELD", "yield();")))
    assert {name: size for name, (_, size) in found.items()} == {"first_stack": 1024, "second_stack": 1024}
    # An exception's frame, the registers that the switch saves, buffers, and some words for calls.
    assert 400 + 32 + 36 <= found["first_stack"][0] <= 400 + 32 + 36 + 64
    assert found["first_stack"][0] - found["second_stack"][0] == 400 - 16


@pytest.mark.parametrize("fill", ["0xA5A5A5A5u", "0xFFFFFFFFu"])
def test_what_the_array_was_filled_with_changes_nothing(fill: str, tmp_path: Path) -> None:
    plain = firmware(tmp_path, CODE.replace("YIELD", "yield();"))
    expected = stacks(plain)
    filled = "for (int i = 0; i < WORDS; i++) { first_stack[i] = second_stack[i] = FILL; }".replace("FILL", fill)
    image = firmware(tmp_path, CODE.replace("YIELD", "yield();"), before=filled, name="filled")
    assert stacks(image) == expected


def test_behind_a_guard_at_its_end_the_stack_pointer_alone_tells(tmp_path: Path) -> None:
    whole = stacks(firmware(tmp_path, CODE.replace("YIELD", "yield();")))
    guard = "first_stack[0] = second_stack[0] = 0xF0F1F2F3u;"
    guarded = stacks(firmware(tmp_path, CODE.replace("YIELD", "yield();"), before=guard, name="guarded"))
    # What the switch saves lies below the stack pointer at all times.
    assert {name: used + 36 for name, (used, _) in guarded.items()} == {name: used for name, (used, _) in whole.items()}


def test_stacks_in_one_array_have_no_size_of_their_own(tmp_path: Path) -> None:
    image = firmware(tmp_path, CODE.replace("YIELD", "yield();"), one_array=True)
    result = run(image, stop="stop")
    assert result.stack is not None
    assert [task.size_bytes for task in result.stack.tasks] == [None, None]
    assert all(task.name.startswith("stacks + 0x") for task in result.stack.tasks)
    large, small = (task.used_bytes for task in result.stack.tasks)
    assert large - small == pytest.approx(400 - 16, abs=8)


def test_a_stack_that_overflows_has_more_in_use_than_its_size(tmp_path: Path) -> None:
    code = (
        CODE.replace("YIELD", "")
        .replace("b[100]", "b[260]")
        .replace("leaf(b, 100)", "leaf(b + 200, 60)")
        .replace("b[99]", "b[259]")
    )
    used, size = stacks(firmware(tmp_path, code))["first_stack"]
    assert size == 1024 and 1040 <= used <= 1040 + 32


def test_a_program_without_tasks_has_none(tmp_path: Path) -> None:
    from firmware_runs import SQUARES
    from user_firmware import build

    result = run(build(tmp_path, SQUARES))
    none: tuple[TaskStackUse, ...] = ()
    assert result.stack is not None and result.stack.tasks == none
