"""Memory traces kept between runs, beside the compiled objects: the same program, board and input give the same trace.

Tracing takes several times as long as running. What a trace depends on is in its key, the tracing code itself included.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

from mcu_harness.base.cache import digest
from mcu_harness.base.kept_arrays import load_arrays, save_arrays
from mcu_harness.emulator.contract import DataTrace, RunPlan
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

KIND = "trace"
_COLUMNS = tuple(field.name for field in fields(DataTrace))


def key_of(program: Program, board: Board, plan: RunPlan) -> str:
    """A digest of all that the trace of the first window depends on."""
    placed = [(segment.address, segment.load_address, segment.memory_size) for segment in program.segments]
    return digest(
        [
            code_digest(),
            program.digest,
            repr((program.entry, placed)),
            repr(replace(board, path=Path())),
            repr(replace(plan, windows=plan.windows[:1], timeout_s=0.0)),
        ]
    )


def load(key: str) -> DataTrace | None:
    """The trace with that key; None where there is none, or none that can be read."""
    columns = load_arrays(KIND, key)
    return DataTrace(**columns) if columns is not None and columns.keys() == set(_COLUMNS) else None


def save(key: str, trace: DataTrace) -> None:
    """Keep `trace`; where that is not possible, the next run traces again."""
    save_arrays(KIND, key, {name: getattr(trace, name) for name in _COLUMNS})


@cache
def code_digest() -> str:
    """Of the code that makes traces: the rooms `emulator` and `hardware`, and the libraries that decode and compile."""
    total = hashlib.sha256()
    package = Path(__file__).parents[2]
    for room in ("emulator", "hardware"):
        paths = sorted((package / room).rglob("*.py"))
        assert paths, f"no code in {room}/: has it moved?"
        for path in paths:
            total.update(path.read_bytes())
    for library in ("unicorn", "capstone", "numba"):
        total.update(f"{library} {version(library)}".encode())
    return total.hexdigest()
