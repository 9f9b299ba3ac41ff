"""The calling-context tree for flame graph tools: speedscope's JSON, and collapsed stacks as text."""

from __future__ import annotations

import json

from mcu_harness.base.text import one_line
from mcu_harness.results.records import Results, RunResult

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(results: Results) -> str:
    """All runs as profiles of one speedscope file, which lets choose among them.

    Format: https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources; a node of the tree becomes one
    sample, its own cost the weight. Cycles where they were measured, else instructions.
    """
    frames: dict[str, int] = {}
    profiles = []
    for run in results.runs:
        samples, weights = [], []
        for stack, weight in _stacks(run):
            samples.append([frames.setdefault(name, len(frames)) for name in stack])
            weights.append(weight)
        if samples:
            profiles.append(
                {
                    "type": "sampled",
                    "name": f"{_title(run)} ({_figure(run)})",
                    "unit": "none",
                    "startValue": 0,
                    "endValue": sum(weights),
                    "samples": samples,
                    "weights": weights,
                }
            )
    made = {
        "$schema": _SCHEMA,
        "exporter": "mcu-harness",
        "name": "mcu-harness",
        "activeProfileIndex": 0 if profiles else None,
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": profiles,
    }
    return json.dumps({key: value for key, value in made.items() if value is not None}, ensure_ascii=False) + "\n"


def collapsed(results: Results) -> str:
    """A line per node, `run;caller;callee weight`, as flamegraph.pl, inferno and speedscope read it."""
    lines = []
    for run in results.runs:
        for stack, weight in _stacks(run):
            if round(weight):
                lines.append(f"{';'.join(_frame(name) for name in (_title(run), *stack))} {round(weight)}")
    return "\n".join(lines) + "\n" if lines else ""


def _stacks(run: RunResult) -> list[tuple[tuple[str, ...], float]]:
    """(call path from the root, own cost) of every node that has a cost of its own."""
    paths: list[tuple[str, ...]] = []
    found = []
    for node in run.calls:
        path = (*(paths[node.parent] if node.parent >= 0 else ()), node.name)
        paths.append(path)
        weight = getattr(node, f"self_{_figure(run)}")
        if weight:
            found.append((path, weight))
    return found


def _figure(run: RunResult) -> str:
    return "cycles" if run.calls and all(node.self_cycles is not None for node in run.calls) else "instructions"


def _title(run: RunResult) -> str:
    return f"{run.case_name} on {run.board}"


def _frame(name: str) -> str:
    """A name that does not end its frame or its line."""
    return one_line(name.replace("\n", " ")).replace(";", ",")
