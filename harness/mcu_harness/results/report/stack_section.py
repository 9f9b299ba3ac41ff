"""How reports show the way to the deepest point of the stack."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.results.memory_records import StackStep, StackUse
from mcu_harness.results.records import RunResult
from mcu_harness.results.report import text

Row = tuple[str, str, str]  # function, its bytes, and the depth with them


def rows(path: Sequence[StackStep]) -> list[Row]:
    """A path from its outermost call inwards."""
    found, depth = [], 0
    for step in path:
        depth += step.nbytes
        found.append((step.function, text.number(step.nbytes), text.number(depth)))
    return found


def measured_title(use: StackUse) -> str:
    """What the frames on the executed path add up to, and how that compares with the painted mark."""
    return f"Deepest call path: {use.computed_bytes:,} B" + (f", {use.note}" if use.note else "")


def static_title(use: StackUse) -> str:
    """What the deepest path of the call graph needs."""
    least = "at least " if use.open_ends else ""
    same = " (the path above)" if use.static_path == use.path else ""
    return f"Static worst case, without exceptions: {least}{use.static_bytes:,} B{same}"


def shows_static_path(use: StackUse) -> bool:
    """Whether the static path says more than its sum."""
    return bool(use.static_path) and use.static_path != use.path


TASKS_TITLE = "Stacks of tasks"
TASK_COLUMNS = ("stack", "used B", "of B")


def task_rows(use: StackUse) -> list[Row]:
    """Name, bytes used and size of each task's stack."""
    return [(task.name, text.number(task.used_bytes), text.number(task.size_bytes)) for task in use.tasks]


def lines(run: RunResult) -> list[str]:
    """For a terminal; [] where nothing is known."""
    use = run.stack
    if use is None or not (use.path or use.static_path or use.tasks):
        return []
    found = []
    if use.path:
        found += [measured_title(use), f"  {_chain(use.path)}"]
    if use.static_path:
        found.append(static_title(use))
        if shows_static_path(use):
            found.append(f"  {_chain(use.static_path)}")
        found += [f"  not in it: {why}" for why in use.open_ends]
    margin = run.value("stack_margin_bytes")
    if margin is not None:
        found.append(f"Never touched: {margin:,} B, down to {use.below}")
    for task in use.tasks:
        size = "" if task.size_bytes is None else f" of {task.size_bytes:,}"
        found.append(f"Stack of a task, {task.name}: {task.used_bytes:,}{size} B")
    return found


def _chain(path: Sequence[StackStep]) -> str:
    return " > ".join(f"{step.function} {step.nbytes:,}" for step in path)
