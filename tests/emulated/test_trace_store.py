"""Memory traces are kept between runs, and are only as good as what they were made from."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from small_firmware import SUM_OF_SQUARES, firmware, plan_for

from mcu_harness.emulator.contract import DataTrace, Execution, RunPlan, Window
from mcu_harness.emulator.trace import trace_store
from mcu_harness.emulator.trace.data_trace import MemoryTracer
from mcu_harness.emulator.traced_run import run_traced, traced_plan
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program


@pytest.fixture
def board() -> Board:
    return find_board("nucleo_l4r5zi")


@pytest.fixture
def program(board: Board, firmware_cache: Path) -> Program:
    return firmware(board, SUM_OF_SQUARES, firmware_cache)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for every run that is traced."""
    runs: list[str] = []
    made = MemoryTracer.__init__

    def counted(self: MemoryTracer, *arguments: object) -> None:
        runs.append("traced")
        made(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryTracer, "__init__", counted)
    return runs


def plan_of(program: Program, board: Board, data: bytes = bytes(16)) -> RunPlan:
    writes, reads = ((program.symbol("input").address, data),), ((program.symbol("output").address, 16),)
    return traced_plan(plan_for(program, [Window(writes, reads), Window(writes, reads)]), board)


def run(program: Program, board: Board, data: bytes = bytes(16)) -> Execution:
    return run_traced(UnicornEmulator(), program, board, plan_of(program, board, data))


def columns(trace: DataTrace | None) -> dict[str, list[object]]:
    assert trace is not None
    return {field.name: getattr(trace, field.name).tolist() for field in fields(DataTrace)}


def test_the_second_run_is_not_traced_and_has_the_same_trace(program: Program, board: Board, traced: list[str]) -> None:
    first, second = run(program, board), run(program, board)
    assert traced == ["traced"]
    assert columns(first.data) == columns(second.data)
    assert first.window_instructions == second.window_instructions and first.reads == second.reads


@pytest.mark.parametrize("change", ["input", "board", "program"])
def test_what_a_trace_depends_on_is_in_its_key(
    program: Program, board: Board, firmware_cache: Path, traced: list[str], change: str
) -> None:
    run(program, board)
    if change == "input":
        run(program, board, bytes(range(16)))
    elif change == "board":
        run(program, replace(board, memories=tuple(replace(m, cache_bytes=64) for m in board.memories)))
    else:
        run(firmware(board, SUM_OF_SQUARES + "int more(void);\nint more(void) { return 1; }\n", firmware_cache), board)
    assert traced == ["traced", "traced"]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"PK\x03\x04 cut off", None])
def test_a_damaged_entry_is_traced_anew(
    program: Program, board: Board, store: Path, traced: list[str], damage: bytes | None
) -> None:
    before = run(program, board)
    (kept,) = store.glob("trace/*/*.trace")
    if damage is None:  # an entry of another kind of array file
        with kept.open("wb") as file:
            np.savez(file, other=np.zeros(3))
    else:
        kept.write_bytes(damage)
    assert columns(run(program, board).data) == columns(before.data)
    assert traced == ["traced", "traced"]


def test_a_cache_that_cannot_be_written_only_costs_time(
    program: Program, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traced: list[str]
) -> None:
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "file" / "cache"))
    assert run(program, board).data is not None and run(program, board).data is not None
    assert traced == ["traced", "traced"]


def test_a_run_that_failed_keeps_no_trace(program: Program, board: Board, store: Path) -> None:
    plan = replace(plan_of(program, board), max_instructions=50)
    run_traced(UnicornEmulator(), program, board, plan)
    assert not list(store.glob("trace/*/*"))
    assert trace_store.load(trace_store.key_of(program, board, plan)) is None
