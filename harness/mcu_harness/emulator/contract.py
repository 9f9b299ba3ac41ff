"""What an emulator is asked to do (`RunPlan`) and what it answers (`Execution`): the same for all of them.

A run goes: load the program, fill the stack area with `STACK_PAINT`, reset. Each time execution reaches `begin`,
the next window opens: its `writes` are made, then counting starts with the instruction at `begin`. It closes when
execution reaches `end` (the instruction at `end` is not counted), and its `reads` are taken. After the last
window the program runs on until it reaches `exit`, with its status in r0. A program without windows is counted
from reset to exit.

Firmware that was not generated here has no such symbols, so a plan can say more: how often windows open is up to the
program (`repeat`), a window ends where a function returns (`end` None), or a console dialogue delimits it; and there
are more ways to end (`stops`, `main`, `stop_after`, the end of the dialogue).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mcu_harness.base.span import Span, gaps
from mcu_harness.emulator.fault_kinds import Fault as Fault
from mcu_harness.emulator.fault_kinds import FaultKind as FaultKind
from mcu_harness.emulator.heap_log import HeapFunction, HeapLog
from mcu_harness.emulator.progress import Tell
from mcu_harness.hardware.arm.address_map import EXTERNAL_DEVICES, PERIPHERALS
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

STACK_PAINT = 0xA5
# Where a pointer leads that was read from stack that nothing wrote: no emulator has devices there.
PAINT_AS_POINTER = Span(0xA5A5_9000, 0xA5A5_C000)


def devices_answer() -> list[Span]:
    """Where every emulator has device registers, whatever the board; memories of the board take precedence.

    The space that the architecture leaves to makers of chips is not among them: no known part has registers there.
    """
    return [PERIPHERALS, *gaps([PAINT_AS_POINTER], EXTERNAL_DEVICES)]


@dataclass(frozen=True, slots=True)
class Window:
    """One measured stretch (one inference): memory to write when it opens and to read when it closes."""

    writes: tuple[tuple[int, bytes], ...] = ()
    reads: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A step of a dialogue with the program's console: `send` it, then go on once `wait` appears in its output.

    A `measured` one is a window, from the sending to the answer, in which the program does its work `times` times.
    """

    send: bytes = b""
    wait: bytes = b""
    measured: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """A memory trace: accesses are told apart by the stretches of addresses that begin at `cuts`.

    It begins at reset. `Execution.data` is of the time until the first window has closed, or of `most_instructions`. Then
    the run goes on without it, or with `ends_run`, is over; with `whole`, it goes on with it, for `Execution.whole`.
    `others` are variants of the board that the same execution is traced for as well: other caches, or other places for
    what lies in its memories.
    """

    cuts: tuple[int, ...] = ()
    whole: bool = False
    most_instructions: int = 50_000_000
    ends_run: bool = False
    others: tuple[Board, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherCore:
    """A core of an emulator's platform, called `name` there, that runs beside the one under test, from its vector table at `vectors`.

    `load` is put into memory for it, as (address, bytes).
    """

    name: str
    vectors: int
    load: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Addresses have no Thumb bit. `stack` is the area [low, high) to paint and to hand back at the end.

    `includes` are the user's own platform descriptions (.repl) and monitor scripts, for emulators that know such;
    `other_cores` run too. All that is counted, stopped at and read is of the one under test.

    For firmware of the user's own:

    - `repeat`: a window opens each time `begin` is reached; `windows` is empty then;
    - `begin` without `end`, with `repeat`: a window closes where the function at `begin` returns to, or is taken off the stack;
    - `stops`: addresses that end the run, without a status;
    - `main`: the function [start, end) after whose return an endless loop, a wait for an interrupt or a return to
      nowhere is a regular end, with what it returned as the status; as is an endless loop inside of it, without one;
    - `stop_after`: so many instructions end the run regularly; the block that would exceed them is not executed;
    - `dialogue`: what is said on the console; its last answer ends the run;
    - `vectors`: where the vector table lies, where it is not the board's own place for it;
    - `start`: stack pointer and first instruction, of a program without a vector table;
    - `sbrk`: the function by which the C library moves the end of the heap;
    - `each_call`: entries of functions of which every call in a window is to be told apart (a thousand at most);
    - `heap_functions`: those of its allocator, whose calls `Execution.heap_log` is to have.

    `trace` asks for `Execution.data`, of emulators that can trace; `tell` hears how far the run is.
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
    other_cores: tuple[OtherCore, ...] = ()
    repeat: bool = False
    stops: tuple[int, ...] = ()
    main: tuple[int, int] | None = None
    stop_after: int | None = None
    dialogue: tuple[Exchange, ...] = ()
    vectors: int | None = None
    start: tuple[int, int] | None = None
    sbrk: int | None = None
    trace: TraceRequest | None = None
    each_call: frozenset[int] = frozenset()
    heap_functions: tuple[HeapFunction, ...] = ()
    tell: Tell | None = field(default=None, repr=False, compare=False)

    @property
    def follows_calls(self) -> bool:
        """Whether each call of a function is measured: they may be under way on several stacks."""
        return self.repeat and self.begin is not None and self.end is None


class ExitReason(StrEnum):
    """Why a run ended. Everything but FINISHED is a failing run; `Execution.detail` says more."""

    FINISHED = "finished"
    TIMEOUT = "timeout"
    INSTRUCTION_LIMIT = "instruction limit"
    FAULT = "fault"
    ENDLESS_LOOP = "endless loop"
    STOPPED_EARLY = "stopped early"  # exit reached before all windows were seen


class Wait(StrEnum):
    """What a program was left in that never ends by itself."""

    BRANCH = "a branch to itself"
    INTERRUPT = "WFI"
    EVENT = "WFE"
    IN_VAIN = "WFI or WFE, with interrupts that end nothing"
    LOOP = "a loop that changes nothing"
    UNKNOWN = "nothing that is executed"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that had not returned: to the function at `entry`; `returns_to` None for a tail call or an exception."""

    entry: int
    returns_to: int | None


# What `BlockCounts.edge_previous` is instead of a block.
START, ENTERED, ENTERED_WITH_FLOATS, CHAINED = -1, -2, -3, -4


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """Executed blocks by calling context: what every emulator hands to the profiler, and all it hands to it.

    A block is (address, bytes, instructions) and its machine code `block_code`, as it was when it first ran; a
    context is a path of calls (`context_parent[0] == -1` is the root, `context_entry` where it was entered); an edge
    says that `edge_current` was executed in `edge_context` right after `edge_previous`, `edge_count` times. Instead of a
    block, `edge_previous` is START at the start of a window, and for the first block of an exception handler how that
    was entered: ENTERED, ENTERED_WITH_FLOATS where a floating-point context had to be kept, or CHAINED right after
    another handler, without going back to what both had interrupted. Instructions skipped by IT count as executed.
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
    window_counts: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class DataTrace:
    """Accesses to data: a row says how often the `instruction` at that address, in a calling context, accessed the object
    at [low, high), `size` bytes each time. Words that one instruction moves and that are of several objects are an access to
    each of these; one word is of the object that it begins in.

    Contexts are those of `BlockCounts`, negative outside of windows. `misses` are lines of memory that were brought in
    for it: into the cache through which the board's core sees that memory, and without one, whenever the line is another
    than the one read last. `unwritten` are reads of RAM in which a byte was never written, `first_unwritten` the first;
    `unaligned` are accesses that are an alignment fault on the board's core (`mcu_harness.hardware.arm.alignment`).
    The other columns say how often each block ran, in a context, right after code that ended at `block_source` (-1: none),
    while it was traced; and how many lines of code were brought in for its beginning and for the rest of it.
    """

    context: npt.NDArray[np.int32]
    instruction: npt.NDArray[np.uint32]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    size: npt.NDArray[np.int32]
    write: npt.NDArray[np.bool_]
    count: npt.NDArray[np.int64]
    misses: npt.NDArray[np.int64]
    unwritten: npt.NDArray[np.int64]
    first_unwritten: npt.NDArray[np.uint32]
    unaligned: npt.NDArray[np.int64]
    block_context: npt.NDArray[np.int32]
    block_address: npt.NDArray[np.uint32]
    block_bytes: npt.NDArray[np.int32]
    block_count: npt.NDArray[np.int64]
    block_source: npt.NDArray[np.int64]
    first_misses: npt.NDArray[np.int64]
    next_misses: npt.NDArray[np.int64]
    context_parent: npt.NDArray[np.int32]
    context_entry: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class WindowEnds:
    """How many windows did not end by a return, or not alone.

    `left` closed because their function's frame was taken off the stack without a return; `dropped` are in no figure, since
    that was only seen when the next one began; `beside` opened while that of another task was open; `unfinished` were open at
    the end of the run, and are in no figure; `unseen` are those of a caller that no symbol names, of which `left` is not always seen.
    """

    left: int = 0
    dropped: int = 0
    beside: int = 0
    unfinished: int = 0
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class TaskStack:
    """A task's stack: the addresses from the `lowest` to the `highest` that its stack pointer was seen at.

    `memory` are the bytes at the end of the run from `start` on, of the object that it lies in; b"" without one.
    """

    lowest: int
    highest: int
    start: int
    memory: bytes


@dataclass(frozen=True, slots=True)
class Execution:
    """What happened. `reads[i][j]` answers `windows[i].reads[j]`; `stack_bytes` is the stack area at the end.

    `registers` are r0..r12, sp, lr, pc, xpsr at the end, and primask, faultmask, shcsr, cfsr and
    mmfar where known.

    Where known: `fault` is what FAULT was about; `calls` are those that had not returned, outermost first, since the
    last window opened; `window_stack` is the stack pointer where the first window opened; `heap` the lowest and the
    highest end of the heap that the program ever set by its `sbrk`; `made_up` are device registers whose answers had
    to be invented so that the program would go on; `elsewhere` is the code that ran only outside of windows, as
    (address, machine code) of blocks; `data` and `whole` are the memory trace that the plan asked for, `other_data` those
    for its other boards, or () where nothing can trace; `fpu_off_at` is the first FPU
    instruction that was executed while the FPU was not enabled; `lowest_stack` is the lowest address of the plan's stack area
    that the stack pointer reached; `task_stacks` are the stacks of tasks that ran, outside of
    that area, where the emulator sees them; `wait` is what it was left in where it would have gone on for ever.
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
    fault: Fault | None = None
    calls: tuple[Call, ...] = ()
    window_stack: int | None = None
    heap: tuple[int, int] | None = None
    made_up: tuple[int, ...] = ()
    elsewhere: tuple[tuple[int, bytes], ...] = ()
    data: DataTrace | None = None
    whole: DataTrace | None = None
    other_data: tuple[DataTrace, ...] = ()
    fpu_off_at: int | None = None
    lowest_stack: int | None = None
    window_ends: WindowEnds = WindowEnds()
    task_stacks: tuple[TaskStack, ...] = ()
    wait: Wait | None = None
    heap_log: HeapLog | None = None


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
