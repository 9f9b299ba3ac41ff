"""Cycle models against silicon: published cycles of programs, beside what the models make of the same programs.

The figures are data (`analysis/profile/cycles/ground_truth/*.toml`, each with its source); the programs are not part of the
project: whoever validates has them in a directory, as ELF files with symbols between which was measured, or as images
that are asked for inferences over their console (EEMBC's protocol, as MLPerf Tiny uses it).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mcu_harness.analysis.profile import cycles
from mcu_harness.base import toml_reader
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.contract import Emulator, Exchange, Execution, RunPlan, Window
from mcu_harness.emulator.traced_run import run_traced, traced_plan
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.raw_reader import read_image
from mcu_harness.image.start_up import find_boot

DIRECTORY = Path(cycles.__file__).parent / "ground_truth"
_LIMIT = 2_000_000_000
_TIMEOUT_S = 600.0
_READY = b"m-ready"


class ValidationError(HarnessError):
    """Published figures cannot be read, or there is no program to compare with them."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Cycles of programs on one board; the errors are what is allowed, `chosen` says what of the model was fitted to them.

    What was measured is what runs between the symbols `begin` and `end`, or without those, one inference of an image.
    """

    name: str
    board: Board
    begin: str
    end: str
    mean_error: float
    worst_error: float
    chosen: str
    source: str
    cycles: tuple[tuple[str, float], ...]

    @property
    def by_console(self) -> bool:
        return not self.begin

    def file_of(self, program: str, directory: Path) -> Path | None:
        """Where `program` lies in `directory`, None where it does not."""
        if not self.by_console:
            path = directory / f"{program}.elf"
            return path if path.is_file() else None
        folder, image = directory / program, directory / f"{program}.bin"
        found = sorted(folder.rglob("*.bin")) if folder.is_dir() else []
        return found[0] if len(found) == 1 else image if image.is_file() else None


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
    top = toml_reader.load(path, ValidationError)
    board = find_board(top.text("board"))
    if "wait_states" in top:
        waits = top.whole("wait_states")
        memories = tuple(replace(m, wait_states=waits, data_cache_bytes=0) for m in board.memories)
        board = replace(board, memories=memories)
    board = _as_measured(top, board)
    hertz = top.whole_quantity("clock", "hertz")
    truth = GroundTruth(
        name=path.stem,
        board=replace(board, clock_hz=hertz),
        begin=top.text("begin", ""),
        end=top.text("end", ""),
        mean_error=top.whole("mean_error_percent") / 100,
        worst_error=top.whole("worst_error_percent") / 100,
        chosen=top.text("chosen", ""),
        source=top.text("source"),
        cycles=_cycles(top, hertz),
    )
    top.done()
    return truth


def _as_measured(top: toml_reader.Table, board: Board) -> Board:
    """`board` as the programs set it up, where that is not as its file has it: [memory.NAME]."""
    changes = top.table("memory")
    if changes is None:
        return board
    memories = {memory.name: memory for memory in board.memories}
    for name in changes.names():
        if name not in memories:
            raise changes.fail(
                name, f"{board.name} has no such memory", hint=toml_reader.did_you_mean(name, tuple(memories))
            )
        table, memory = changes.needed_table(name), memories[name]
        memories[name] = replace(
            memory,
            wait_states=table.whole("wait_states", memory.wait_states),
            fetch_bytes=table.whole_quantity("fetch", "bytes", memory.fetch_bytes),
            code_miss_cycles=_either(table, "code_miss_cycles", memory.code_miss_cycles),
            data_miss_cycles=_either(table, "data_miss_cycles", memory.data_miss_cycles),
        )
        table.done()
    return replace(board, memories=tuple(memories.values()))


def _either(table: toml_reader.Table, key: str, otherwise: float | None) -> float | None:
    return table.quantity(key, "count") if key in table else otherwise


def _cycles(top: toml_reader.Table, hertz: int) -> tuple[tuple[str, float], ...]:
    rates = top.table("inferences_per_second")
    if rates is not None:
        return tuple((name, hertz / rates.quantity(name, "count")) for name in rates.names())
    times = top.needed_table("milliseconds")
    return tuple((name, times.whole(name) * hertz / 1000) for name in times.names())


def compare(
    truth: GroundTruth, directory: Path, emulator: Emulator, progress: Callable[[str], None]
) -> list[Comparison]:
    """Run the programs of `truth` that are in `directory`, in the order of the figures."""
    found = []
    for name, measured in truth.cycles:
        path = truth.file_of(name, directory)
        if path is None:
            continue
        progress(name)
        predicted = _by_console(path, truth, emulator) if truth.by_console else _between(path, truth, emulator)
        found.append(Comparison(name, predicted, measured))
    return found


def _between(path: Path, truth: GroundTruth, emulator: Emulator) -> float:
    program = read_program(path)
    begin, end = program.symbol(truth.begin).address, program.symbol(truth.end).address
    plan = RunPlan(begin, end, None, (Window(),), (0, 0), max_instructions=_LIMIT)
    return _run(path, truth, emulator, program, plan)


def _by_console(path: Path, truth: GroundTruth, emulator: Emulator) -> float:
    """One inference is what two cost more than one: reading the command and printing results is in both."""
    program = read_image(path, truth.board.code_memory.origin)
    boot = find_boot(program, truth.board)

    def inferences(count: int) -> float:
        ask = Exchange(f"infer {count} 0%".encode(), _READY, measured=True)
        plan = RunPlan(
            None, None, None, (), (0, 0), max_instructions=_LIMIT, timeout_s=_TIMEOUT_S,
            dialogue=(Exchange(wait=_READY), ask), vectors=boot.vectors,
        )  # fmt: skip
        return _run(path, truth, emulator, program, plan)

    return inferences(2) - inferences(1)


def _run(path: Path, truth: GroundTruth, emulator: Emulator, program: Program, plan: RunPlan) -> float:
    """Cycles of the window of `plan`."""
    # Late: the disassembler behind the cycle models is not needed to import this module.
    from mcu_harness.analysis.profile.cycles.pricing import price

    execution: Execution = run_traced(emulator, program, truth.board, traced_plan(plan, truth.board))
    if not execution.window_instructions or execution.blocks is None:
        hint = "give the image as it was published" if truth.by_console else "build it as its source says"
        raise ValidationError(f"{path}: {execution.reason}: {execution.detail}", hint=hint)
    prices = price(execution.blocks, truth.board, trace=execution.data)
    if prices is None:
        raise ValidationError(f"{truth.name}: there is no cycle model for the {truth.board.core.name}")
    return float((execution.blocks.edge_count * prices.edge_cycles).sum())


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
