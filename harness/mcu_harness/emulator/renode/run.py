"""One run in a Renode that stands ready: what is sent, what comes back, and what that amounts to."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Call, Execution, Fault, FaultKind, RunPlan, WindowEnds
from mcu_harness.emulator.heap_log import HeapLog
from mcu_harness.emulator.measured_calls import MeasuredCalls
from mcu_harness.emulator.progress import Progress, Underway
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder, NoCodeError
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.blocks import BlockIntake
from mcu_harness.emulator.renode.end_place import NO_BRANCHES, NOWHERE, LastBranches, arrived, last_branches, located
from mcu_harness.emulator.renode.even_jump import is_call
from mcu_harness.emulator.renode.image import LoadedProgram
from mcu_harness.emulator.renode.outcome import explain, is_even_jump
from mcu_harness.emulator.renode.platform import console_input
from mcu_harness.emulator.renode.server import RenodeServer
from mcu_harness.emulator.stacks import Stacks
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_GRACE_S = 20.0  # what Renode may take, beyond the plan's own limit, to say that it was reached


class Run:
    """The state of one run. `watch_flash` makes it slow, and stops it at the first write to flash."""

    def __init__(self, program: Program, board: Board, plan: RunPlan, watch_flash: bool = False) -> None:
        self._board = board
        self._asks_profile = plan.profile
        self._plan = plan = replace(plan, profile=plan.profile or plan.follows_calls)
        self._watch_flash = watch_flash
        self._program = LoadedProgram(program, board, plan.vectors)
        self._first_stack: int | None = None
        self._calls_at_close: tuple[Call, ...] = ()
        self._branches_at_close = NO_BRANCHES
        self._instructions: list[int] = []
        self._reads: list[tuple[bytes, ...]] = []
        self._recorder: BlockRecorder | None = None
        self._recorded = 0
        self._no_code: int | None = None
        self._heap_log = HeapLog()
        self._progress = Progress(plan.tell)
        self.intact = True  # whether the server can be used for another run
        self.flash_changed = False
        if plan.profile:
            self._recorder = BlockRecorder(
                self._program.code,
                functions=function_ranges(program),
                handlers={NOWHERE},
                each_call=plan.each_call,
                sizes_are_instructions=True,
            )
            self._intake = BlockIntake(self._recorder)
        self._measured_calls: MeasuredCalls | None = None
        self._counted: dict[int, int] = {}  # the instructions that Renode had counted when a window began
        self._frames = protocol.Frames()
        if self._recorder is not None and plan.follows_calls:
            stacks = Stacks(program, board, plan.stack)
            self._measured_calls = MeasuredCalls(self._recorder, stacks, sees_pointer=False)
            self._instructions = self._measured_calls.instructions
            self._frames = protocol.Frames(function_ranges(program), stacks.arrays, stacks.memories)

    def on(self, server: RenodeServer) -> Execution:
        """Run to the end in `server`, in which the board is ready."""
        started = time.perf_counter()
        deadline = time.monotonic() + self._plan.timeout_s + _GRACE_S
        console = console_input(self._board)
        clock_hz = self._board.clock_hz
        image, frames = self._program.image, self._frames
        server.request(protocol.run_request(self._plan, image, self._watch_flash, console, round(clock_hz), frames))
        while True:
            frame = server.answer(deadline, lambda: self._progress.look(self._underway))
            self._progress.look(self._underway)
            kind = frame[:1]
            if kind == protocol.BLOCKS:
                self._add(frame)
            elif kind == protocol.CODE:
                self._program.add_code(*protocol.read_code(frame))
            elif kind == protocol.OPENED:
                self._open_window(frame)
            elif kind == protocol.WINDOW:
                self._close_window(frame)
            elif kind in (protocol.CALLED, protocol.RETURNED, protocol.LEFT) and self._measured_calls is not None:
                self._follow(self._measured_calls, bytes(kind), frame)
            elif kind == protocol.ALLOCATED:
                self._heap_log.returned(*protocol.read_allocated(frame))
            elif kind == protocol.END:
                return self._execution(protocol.read_end(frame), time.perf_counter() - started)
            else:
                raise EmulatorError(f"Renode: unexpected answer {bytes(kind)!r} to a run")

    def _underway(self) -> Underway:
        """Of instructions, those of windows are known."""
        recorded = self._recorder.instructions if self._recorder is not None else sum(self._instructions)
        return Underway(recorded, None, len(self._instructions), self._instructions[-1] if self._instructions else None)

    def _add(self, frame: bytearray) -> None:
        """Record blocks, up to one that is no code: then the run is at its end, whatever comes."""
        if self._no_code is None:
            try:
                self._intake.add(frame)
            except NoCodeError as error:
                self._no_code = error.address

    def _open_window(self, frame: bytearray) -> None:
        pc, stack = protocol.read_opened(frame)
        if self._first_stack is None:
            self._first_stack = stack
        if self._recorder is not None:
            self._intake.settle(pc)
            self._recorder.begin(pc)

    def _follow(self, calls: MeasuredCalls, kind: bytes, frame: bytearray) -> None:
        """Of the calls of a function, one begins, returns, or is off its stack; all blocks before have come."""
        if self._no_code is not None:
            return
        if kind == protocol.CALLED:
            at = protocol.read_called(frame)
            self._intake.settle(at.pc)
            calls.sees_pointer = at.sees_pointer
            if calls.called(at.pc, at.pointer, at.lr, at.on_process_stack):
                self._counted[calls.open[-1].number] = at.instructions
                self._first_stack = at.pointer if self._first_stack is None else self._first_stack
            return
        at = protocol.read_returned(frame)
        self._intake.settle(0)
        if kind == protocol.RETURNED:
            ended = calls.returned(at.pc, at.pointer)
        else:
            ended = next((call for call in calls.open if (call.end, call.pointer) == (at.pc, at.pointer)), None)
            if ended is not None:
                calls.left(ended)
        if ended is not None:
            self._compare(at.instructions - self._counted.pop(ended.number), calls.instructions[-1])

    def _close_window(self, frame: bytearray) -> None:
        instructions, reads = protocol.read_window(frame)
        self._instructions.append(instructions)
        if self._plan.windows:
            self._reads.append(reads)
        if self._recorder is not None and self._no_code is None:
            recorded = self._recorder.instructions - self._recorded
            self._recorded = self._recorder.instructions
            if not self._watch_flash:
                self._compare(instructions, recorded)
            self._intake.settle(0)
            self._calls_at_close = self._recorder.calls()
            self._branches_at_close = last_branches(self._recorder)
            self._recorder.end()

    @staticmethod
    def _compare(counted: int, recorded: int) -> None:
        if counted != recorded:
            raise EmulatorError(
                f"Renode counted {counted:,} instructions but reported blocks of {recorded:,}",
                hint="report this as a bug, with the firmware",
            )

    @property
    def _is_closed(self) -> bool:
        """Whether the end has closed what was recorded: a window that is the whole run."""
        plan = self._plan
        begins = plan.begin is not None and (plan.windows or plan.repeat)
        return not begins and not any(exchange.measured for exchange in plan.dialogue)

    def _calls(self, end: protocol.End, even_jump_at: int | None) -> tuple[Call, ...]:
        """The calls that had not returned; one to an even address, which stops before it is made, is made here."""
        if self._recorder is None:
            return ()
        calls = self._calls_at_close if self._is_closed else self._recorder.calls()
        if even_jump_at is not None and is_call(self._program.code(even_jump_at, 2)):
            calls += (Call(end.pc, even_jump_at + 2),)
        return calls

    @property
    def _last_branches(self) -> LastBranches:
        if self._recorder is None or self._is_closed:
            return self._branches_at_close
        return last_branches(self._recorder)

    def _word(self, end: protocol.End, address: int) -> int | None:
        """A word of the stack at the end, None where that is not in its area."""
        low, high = self._plan.stack
        at = address - low
        return int.from_bytes(end.stack[at : at + 4], "little") if low <= address <= high - 4 else None

    def _execution(self, end: protocol.End, emulation_s: float) -> Execution:
        self.intact, self.flash_changed = end.intact, end.flash_changed
        end, not_made = located(end, self._program.code, partial(self._word, end))
        ends = WindowEnds(unfinished=int(end.window_open and not self._is_closed))
        if self._measured_calls is not None:
            ends = self._measured_calls.ends
            end = replace(end, window_open=bool(ends.unfinished))
        pc = end.pc & ~1
        around = self._program.code(pc - 2, 6)
        closed = len(self._instructions)
        outcome = explain(end, self._board, self._plan, closed, self._program.vectors, around, ends.dropped)
        if self._no_code is not None:
            pc = self._no_code
            outcome = ending.faulted(Fault(FaultKind.JUMP, pc), ending.no_code(pc))
        fault = outcome.fault
        if fault is not None and self._no_code is None:
            fault = arrived(fault, pc, not_made, is_even_jump(end), self._last_branches)
        return Execution(
            reason=outcome.reason,
            status=outcome.status,
            pc=pc,
            detail=outcome.detail,
            console=end.console.decode("utf-8", "replace"),
            reads=tuple(self._reads),
            window_instructions=tuple(self._instructions),
            stack_bytes=end.stack,
            registers=end.registers,
            blocks=self._recorder.counts() if self._recorder is not None and self._asks_profile else None,
            emulation_s=emulation_s,
            fault=fault,
            calls=self._calls(end, not_made if fault and fault.kind is FaultKind.NOT_THUMB else None),
            window_stack=self._first_stack,
            heap=end.heap,
            heap_log=self._heap_log if self._plan.heap_functions else None,
            wait=outcome.wait,
            window_ends=ends,
        )
