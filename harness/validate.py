"""Cycle models against silicon: published cycles of programs, beside what the models make of the same programs.

The figures are data (`profile/cycles/ground_truth/*.toml`, each with its source); the programs are not part of the
project: whoever validates has them, one `<program>.elf` each, in a directory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import strict_toml
from harness.board import Board, find_board
from harness.elf import read_program
from harness.emulator import Emulator, RunPlan, Window
from harness.errors import HarnessError

DIRECTORY = Path(__file__).parent / "profile" / "cycles" / "ground_truth"
_LIMIT = 2_000_000_000


class ValidationError(HarnessError):
    """Published figures cannot be read, or there is no program to compare with them."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Cycles of programs on one board, between the symbols `begin` and `end`; the errors are what is allowed."""

    name: str
    board: Board
    begin: str
    end: str
    mean_error: float
    worst_error: float
    source: str
    cycles: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One program: cycles of the model and of the silicon."""

    program: str
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """Relative: 0.02 is 2 % too many."""
        return self.predicted / self.measured - 1


def ground_truths(directory: Path = DIRECTORY) -> list[GroundTruth]:
    """All published figures, by name; raises ValidationError or BoardError with file and line."""
    return [_load(path) for path in sorted(directory.glob("*.toml"))]


def _load(path: Path) -> GroundTruth:
    top = strict_toml.load(path, ValidationError)
    waits = top.whole("wait_states")
    board = find_board(top.text("board"))
    memories = tuple(replace(memory, wait_states=waits) for memory in board.memories)
    hertz = top.whole_quantity("clock", "hertz")
    figures = top.needed_table("milliseconds")
    cycles = tuple((name, figures.whole(name) * hertz / 1000) for name in figures.names())
    truth = GroundTruth(
        name=path.stem,
        board=replace(board, memories=memories, clock_hz=hertz),
        begin=top.text("begin"),
        end=top.text("end"),
        mean_error=top.whole("mean_error_percent") / 100,
        worst_error=top.whole("worst_error_percent") / 100,
        source=top.text("source"),
        cycles=cycles,
    )
    top.done()
    return truth


def compare(
    truth: GroundTruth, directory: Path, emulator: Emulator, progress: Callable[[str], None]
) -> list[Comparison]:
    """Run the programs of `truth` that are in `directory`, in the order of the figures."""
    # Late: the disassembler behind the cycle models is not needed to import this module.
    from harness.profile.cycles import price

    found = []
    for name, measured in truth.cycles:
        path = directory / f"{name}.elf"
        if not path.is_file():
            continue
        progress(name)
        program = read_program(path)
        begin, end = program.symbol(truth.begin).address, program.symbol(truth.end).address
        plan = RunPlan(begin, end, None, (Window(),), (0, 0), max_instructions=_LIMIT)
        execution = emulator.run(program, truth.board, plan)
        if not execution.window_instructions or execution.blocks is None:
            raise ValidationError(f"{path}: {execution.reason}: {execution.detail}", hint="build it as its source says")
        prices = price(execution.blocks, truth.board)
        if prices is None:
            raise ValidationError(f"{truth.name}: there is no cycle model for the {truth.board.core.name}")
        predicted = float((execution.blocks.edge_count * prices.edge_cycles).sum())
        found.append(Comparison(name, predicted, measured))
    return found


def mean_error(comparisons: Sequence[Comparison]) -> float:
    """The mean of absolute errors."""
    return sum(abs(c.error) for c in comparisons) / len(comparisons)


def worst_error(comparisons: Sequence[Comparison]) -> float:
    """The largest absolute error."""
    return max(abs(c.error) for c in comparisons)


def geometric_mean(comparisons: Sequence[Comparison]) -> float:
    """Of predicted / measured: 1 when errors to both sides balance."""
    return math.exp(sum(math.log(c.predicted / c.measured) for c in comparisons) / len(comparisons))


def holds(truth: GroundTruth, comparisons: Sequence[Comparison]) -> bool:
    """Whether the errors are within what is stated."""
    return mean_error(comparisons) <= truth.mean_error and worst_error(comparisons) <= truth.worst_error
