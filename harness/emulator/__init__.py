"""What an emulator is asked to do (`RunPlan`) and what it answers (`Execution`): the same for all of them.

A run goes: load the program, fill the stack area with `STACK_PAINT`, reset. Each time execution reaches `begin`,
the next window opens: its `writes` are made, then counting starts with the instruction at `begin`. It closes when
execution reaches `end` (the instruction at `end` is not counted), and its `reads` are taken. After the last
window the program runs on until it reaches `exit`, with its status in r0. A program without windows is counted
from reset to exit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.board import Board
from harness.elf import Program

STACK_PAINT = 0xA5


@dataclass(frozen=True, slots=True)
class Window:
    """One measured stretch (one inference): memory to write when it opens and to read when it closes."""

    writes: tuple[tuple[int, bytes], ...] = ()
    reads: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Addresses have no Thumb bit. `stack` is the area [low, high) to paint and to hand back at the end.

    `includes` are the user's own platform descriptions (.repl) and monitor scripts, for emulators that know such.
    """

    begin: int | None
    end: int | None
    exit: int | None
    windows: tuple[Window, ...]
    stack: tuple[int, int]
    max_instructions: int = 20_000_000_000
    timeout_s: float = 300.0
    profile: bool = True
    includes: tuple[Path, ...] = ()


class ExitReason(StrEnum):
    """Why a run ended. Everything but FINISHED is a failing run; `Execution.detail` says more."""

    FINISHED = "finished"
    TIMEOUT = "timeout"
    INSTRUCTION_LIMIT = "instruction limit"
    FAULT = "fault"
    ENDLESS_LOOP = "endless loop"
    STOPPED_EARLY = "stopped early"  # exit reached before all windows were seen


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """Executed blocks by calling context: what every emulator hands to the profiler, and all it hands to it.

    A block is (address, bytes, instructions) and its machine code `block_code`, as it was when it first ran; a
    context is a path of calls (`context_parent[0] == -1` is the root, `context_entry` where it was entered); an edge
    says that `edge_current` was executed in `edge_context` right after `edge_previous` (-1 at the start of a
    window), `edge_count` times. Instructions skipped by IT count as executed.
    """

    block_address: npt.NDArray[np.uint32]
    block_bytes: npt.NDArray[np.int32]
    block_instructions: npt.NDArray[np.int32]
    context_parent: npt.NDArray[np.int32]
    context_entry: npt.NDArray[np.uint32]
    edge_context: npt.NDArray[np.int32]
    edge_previous: npt.NDArray[np.int32]
    edge_current: npt.NDArray[np.int32]
    edge_count: npt.NDArray[np.int64]
    block_code: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """What happened. `reads[i][j]` answers `windows[i].reads[j]`; `stack_bytes` is the stack area at the end.

    `registers` are r0..r12, sp, lr, pc, xpsr and the fault status registers at the end, where known.
    """

    reason: ExitReason
    status: int | None
    pc: int
    detail: str
    console: str
    reads: tuple[tuple[bytes, ...], ...]
    window_instructions: tuple[int, ...]
    stack_bytes: bytes
    registers: dict[str, int]
    blocks: BlockCounts | None
    emulation_s: float


class Emulator(Protocol):
    """Runs a program on a board."""

    name: str

    def version(self) -> str:
        """The emulator's own version, as it is recorded in results."""
        ...

    def supports(self, board: Board) -> str:
        """ "" when it can run `board`, else why not and what to use instead."""
        ...

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        """Run to the end; raises EmulatorError only when the emulator itself fails."""
        ...

    def close(self) -> None:
        """Give back whatever is kept between runs (processes, files); harmless when called twice."""
        ...
