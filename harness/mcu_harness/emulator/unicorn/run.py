"""One run in the embedded emulator: from reset, past all that stops the engine, to the end and what it means."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from unicorn import unicorn_const as const

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Call, Execution, Fault, FaultKind, RunPlan, Wait
from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.ending import End, RunFacts
from mcu_harness.emulator.held_signals import held_exceptions
from mcu_harness.emulator.progress import Progress, Underway
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder, NoCodeError
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.emulator.stacks import Stacks
from mcu_harness.emulator.unicorn import faults
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.exceptions import ExceptionFault, Exceptions
from mcu_harness.emulator.unicorn.fpu_watch import FpuWatch
from mcu_harness.emulator.unicorn.run_trace import RunTrace
from mcu_harness.emulator.unicorn.semihosting import BREAKPOINT, Semihosting
from mcu_harness.emulator.unicorn.stack_watch import StackWatch
from mcu_harness.emulator.unicorn.standstill import Sleeps, Standstill
from mcu_harness.emulator.unicorn.watches import FunctionWatches
from mcu_harness.emulator.unicorn.windows import Windows
from mcu_harness.hardware.board import Board
from mcu_harness.image.object_index import ObjectIndex
from mcu_harness.image.program import Program

_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"
_MOST_CONSOLE_BYTES = 1 << 20


class Run:
    """The state of one run."""

    def __init__(self, program: Program, board: Board, plan: RunPlan) -> None:
        self._program = program
        self._plan = plan
        self._console = bytearray()
        self._dialogue = Dialogue(plan.dialogue)
        self._vectors = board.code_memory.origin + board.vector_offset if plan.vectors is None else plan.vectors
        self._engine = Engine(
            board,
            send=self._send,
            dialogue=self._dialogue,
            elapsed=lambda: self._recorder.instructions,
            vectors=self._vectors,
            now=lambda: self._now(),
        )
        self._memory = self._engine.memory
        self._limit = min(plan.max_instructions, plan.stop_after or plan.max_instructions)
        self._fpu = FpuWatch(self._memory.read, lambda: board.fpu == "none" or self._engine.system.fpu_enabled)
        self._recorder = BlockRecorder(
            self._fpu.read,
            functions=function_ranges(program),
            each_call=plan.each_call,
            keep_going=self._in_time,
            limit=self._limit,
        )
        self._exceptions = Exceptions(board.core, self._engine, self._recorder)
        self._sleeps = Sleeps(board.clock_hz, self._engine, self._exceptions, self._now)
        self._standstill = Standstill(self._engine, self._exceptions, self._dialogue)
        self._engine.system.on_fpu_enabled = lambda: self._fpu.switched_on(self._recorder.last_block)
        self._engine.watch_divisions(program)
        self._dialogue.on_answer = self._recorder.pause
        self._trace = RunTrace(plan.trace, self._engine, self._recorder, board)
        self._memory.load(program)
        self._stack, self._first = self._start()
        self._semihosting = Semihosting(
            self._memory, board.clock_hz, lambda: self._recorder.instructions, self._send, self._dialogue, self._stack
        )
        self._stack_watch = StackWatch(plan, self._engine, self._recorder, ObjectIndex(program))
        stacks = Stacks(program, board, plan.stack)
        self._windows = Windows(plan, self._engine, self._recorder, stacks, self._stack_watch.sees_pointer)
        self._watches = FunctionWatches(plan, self._engine.register, lambda: self._recorder.instructions)
        self._main = self._watches.main
        self._calls: tuple[Call, ...] = ()
        self._deadline = 0.0  # of this thread's processor time: a busy machine takes nothing away from a run
        self._timed_out = False
        self._progress = Progress(plan.tell)
        self._clock_hz = board.clock_hz
        self._interrupted: Callable[[], bool] = lambda: False

    def execute(self) -> Execution:
        """Run to the end, and give the engine back."""
        self._stack_watch.start()
        self._trace.start(self._program)
        try:
            with held_exceptions() as self._interrupted:
                started = time.perf_counter()
                self._deadline = time.thread_time() + self._plan.timeout_s
                end = self._reset_and_run()
                self._end_whole_run()  # however it ended: what was counted until then
                emulation_s = time.perf_counter() - started
            error = self._recorder.error
            if error is not None and not isinstance(error, NoCodeError):
                raise EmulatorError(f"the block recorder failed at {self._engine.pc:#010x}: {error}") from error
            self._trace.end()
            return Execution(
                reason=end.reason,
                status=end.status,
                pc=self._engine.pc,
                detail=end.detail,
                console=self._console.decode("utf-8", "replace"),
                reads=tuple(self._windows.reads),
                window_instructions=tuple(self._windows.instructions),
                stack_bytes=self._stack_watch.area,
                registers=self._engine.registers(),
                blocks=self._recorder.counts() if self._plan.profile else None,
                emulation_s=emulation_s,
                fault=end.fault,
                calls=self._calls or self._recorder.calls(),
                window_stack=self._windows.first_stack,
                heap=self._watches.heap,
                heap_log=self._watches.heap_log,
                made_up=self._engine.made_up,
                elsewhere=self._recorder.elsewhere(),
                data=self._trace.data,
                whole=self._trace.whole,
                other_data=self._trace.others,
                fpu_off_at=self._fpu.off_at,
                window_ends=self._windows.ends,
                task_stacks=self._stack_watch.tasks,
                wait=end.wait,
                lowest_stack=self._stack_watch.lowest,
            )
        finally:
            self._engine.close()

    def _start(self) -> tuple[int, int]:
        """Stack pointer and first instruction, from the vector table unless the plan says them."""
        if self._plan.start is not None:
            return self._plan.start
        return self._memory.word(self._vectors) or 0, self._memory.word(self._vectors + 4) or 0

    def _reset_and_run(self) -> End:
        stack, first = self._stack, self._first
        if self._plan.start is None and (not stack or not first & 1):
            return ending.no_vectors(self._vectors, stack, first)
        self._engine.set_register("sp", stack & ~3)
        self._engine.set_register("lr", 0xFFFFFFFF)
        self._recorder.set_stop_function(self._engine.stop_function())
        self._engine.hook_blocks(self._recorder.hook_address, self._recorder.state_address)
        if self._windows.whole_run:
            self._windows.open(first & ~1)
        self._begin_step(first & ~1)
        self._engine.set_exits(self._exits())
        return self._go_on(first & ~1)

    def _go_on(self, pc: int) -> End:
        try:
            return self._go_on_until_end(pc)
        except ExceptionFault as fault:
            return ending.faulted(fault.fault, str(fault))

    def _go_on_until_end(self, pc: int) -> End:
        while True:
            error = self._engine.run(pc)
            pc = self._engine.pc
            if (
                self._recorder.paused and self._engine.exception not in faults.ASKING
            ):  # what else may have stopped it repeats
                if self._end_of_dialogue(pc):
                    return self._finished()
                pc = self._paused(pc)
                if self._stands_still(pc):
                    return self._waits_for_ever(Wait.LOOP, pc)
                continue
            if self._recorder.stopped:
                if self._recorder.stopped_in_endless_loop and self._interrupts_matter and self._recorder.loop_on():
                    continue
                return self._stopped_by_recorder(pc)
            if self._engine.reset_requested:
                return ending.faulted(Fault(FaultKind.RESET_REQUEST))
            asked = self._memory.peek(pc, 2) == BREAKPOINT and self._engine.exception == faults.BREAKPOINT
            if asked:
                answer = self._semihosting.call(self._engine.register("r0"), self._engine.register("r1"))
                if answer.exit_status is not None:
                    return self._exited(answer.exit_status)
                self._engine.set_register("r0", answer.value)
                self._standstill.stir()
                pc += 2
                continue
            waited = self._memory.peek(pc - 2, 2) if self._recorder.last_end == pc else None
            if error == const.UC_ERR_INSN_INVALID and waited in (_WFE, _YIELD):
                if waited == _WFE:
                    if self._waits_in_vain(pc):
                        return self._waits_for_ever(Wait.IN_VAIN, pc)
                    if not self._exceptions.doze() and self._sleeps.dozed_in_vain(pc):
                        return self._waits_for_ever(Wait.EVENT, pc)
                    pc = self._paused(pc)
                continue
            if error or self._engine.exception is not None or self._engine.divided_by_zero:
                after = None if self._engine.divided_by_zero else self._after_exception(pc)
                if after is not None:
                    pc = after
                    continue
                return self._faulted(pc, error)
            if pc in self._exits():
                end = self._arrived(pc)
                if end is not None:
                    return end
                pc = self._paused(self._engine.pc) if self._recorder.paused else self._engine.pc
                continue
            if waited == _WFI:
                if self._waits_in_vain(pc):
                    return self._waits_for_ever(Wait.IN_VAIN, pc)
                if not self._exceptions.sleep():
                    return self._waits_for_ever(Wait.INTERRUPT, pc)
                pc = self._switched(self._exceptions.take(pc))
                continue
            return ending.faulted(Fault(FaultKind.OTHER), "the emulator stopped without saying why")

    def _paused(self, pc: int) -> int:
        """The recorder paused before `pc` for something that happened; returns where to go on."""
        self._recorder.resume()
        if self._recorder.left_frame:
            self._windows.leave()
            self._after_window()
        if self._trace.enough:
            self._trace.part()
        return self._switched(self._exceptions.take(pc))

    def _switched(self, pc: int) -> int:
        """Another stack may be in use from `pc` on."""
        self._windows.look()
        self._engine.set_exits(self._exits())
        return pc

    def _stands_still(self, pc: int) -> bool:
        """Whether nothing changes any more, which is looked at from block to block, where it is time to."""
        found = self._standstill.visit(pc)
        if self._standstill.is_looking:
            self._recorder.only_one()
        else:
            self._recorder.enough()
        return found

    def _after_exception(self, pc: int) -> int | None:
        """Where to go on after the core stopped at `pc`, where that is an exception or the return from one."""
        if self._engine.exception == faults.SVC:
            handler = self._exceptions.supervisor_call(pc)
            return None if handler is None else self._switched(handler)
        if not self._exceptions.returns(pc):
            return None
        if pc in self._windows.exits:  # a handler is what is measured
            self._windows.at(pc)
        pc, waits = self._exceptions.leave(pc)
        if waits:
            self._exceptions.sleep()
        return self._paused(pc)

    @property
    def _interrupts_matter(self) -> bool:
        """Whether interrupts may still bring what the run is for, when the program itself is in an endless loop."""
        if self._dialogue.step is not None or self._windows.awaited:
            return True
        return self._main.returned is None and (self._plan.stop_after is not None or bool(self._plan.stops))

    def _waits_in_vain(self, pc: int) -> bool:
        """Whether the program does nothing any more but wait for interrupts at `pc`."""
        many, long = self._sleeps.slept(pc)
        if self._dialogue.step:
            return False
        if self._main.returned is not None or self._main.holds(pc):
            return many
        return many and long and self._plan.stop_after is None

    # Places to stop at.

    def _exits(self) -> set[int]:
        ends = {address for address in (self._plan.exit, *self._plan.stops) if address is not None}
        return ends | self._windows.exits | self._watches.exits

    def _arrived(self, pc: int) -> End | None:
        """Do what is to be done at `pc`, one of the exits; None when the run goes on."""
        if pc == self._plan.exit:
            return self._exited(self._engine.register("r0"))
        if pc in self._plan.stops:
            return self._finished()
        self._watches.at(pc)
        if pc in self._windows.exits:
            self._windows.at(pc)
            self._after_window()
            if self._trace.ends_run or (self._windows.finished and self._plan.exit is None):
                return self._finished()
        if pc in self._exits():  # reached in a deeper call: get past it
            error = self._engine.step(pc)
            if self._recorder.paused:
                return self._finished() if self._end_of_dialogue(self._engine.pc) else None
            if error or self._engine.exception is not None or self._recorder.stopped:
                return self._faulted(self._engine.pc, error)  # as any other instruction
        self._engine.set_exits(self._exits())
        return None

    def _begin_step(self, pc: int) -> None:
        step = self._dialogue.next_step()
        if step is not None and step.measured:
            self._windows.open(pc)
        for uart in self._engine.interrupting:
            uart.look()

    def _end_of_dialogue(self, pc: int) -> bool:
        """The step under way was answered: go on to the next, if there is one."""
        while self._dialogue.answered:
            step = self._dialogue.step
            if step is not None and step.measured:
                self._windows.close()
                self._after_window()
            self._begin_step(pc)
        return self._dialogue.over or self._trace.ends_run

    def _after_window(self) -> None:
        if self._windows.instructions and not self._windows.is_open:
            self._trace.part()

    # Ends.

    def _facts(self) -> RunFacts:
        """What is known of the run, which is at its end."""
        self._end_whole_run()
        return RunFacts(
            plan=self._plan,
            closed=len(self._windows.instructions),
            is_open=self._windows.is_open,
            dropped=self._windows.ends.dropped,
            step=self._dialogue.describe(),
            returned=self._main.returned,
        )

    def _faulted(self, pc: int, error: int) -> End:
        origin = self._recorder.branch_to(pc)
        self._recorder.leave_early(pc)
        end = faults.explain_fault(self._engine, error)
        assert end.fault is not None
        if end.fault.kind is FaultKind.RETURN_FROM_RESET and self._main.returned is not None:
            return self._exited(self._main.returned)
        return replace(end, fault=replace(end.fault, origin=origin)) if end.fault.address == pc else end

    def _exited(self, status: int) -> End:
        return ending.exited(self._facts(), status)

    def _finished(self) -> End:
        return ending.finished(self._facts())

    def _waits_for_ever(self, wait: Wait, pc: int) -> End:
        return ending.waits_for_ever(self._facts(), wait, self._main.holds(pc))

    def _stopped_by_recorder(self, pc: int) -> End:
        if self._recorder.stopped_in_endless_loop:
            return self._waits_for_ever(Wait.BRANCH, pc)
        if self._timed_out or self._interrupted():
            return ending.out_of_time(self._facts())
        if isinstance(self._recorder.error, NoCodeError):
            address = self._recorder.error.address
            return ending.faulted(Fault(FaultKind.JUMP, address), ending.no_code(address))
        if self._recorder.error is not None:
            return ending.faulted(Fault(FaultKind.OTHER), "the block recorder failed")
        if self._limit == self._plan.stop_after:
            return ending.stopped_after(self._facts())
        return ending.out_of_instructions(self._facts())

    def _end_whole_run(self) -> None:
        """Close the window that only the end of the run closes; calls are not followed any more after that."""
        if self._windows.is_open and self._windows.whole_run:
            self._calls = self._recorder.calls()
            self._windows.close()

    # What the parts call.

    def _send(self, data: bytes) -> None:
        self._console += data[: _MOST_CONSOLE_BYTES - len(self._console)]
        self._standstill.stir()
        self._dialogue.hear(data)

    def _now(self) -> int:
        """The time, in cycles of the clock."""
        return self._recorder.now + self._exceptions.slept

    def _underway(self) -> Underway:
        closed = self._windows.instructions
        last = closed[-1] if closed else None
        return Underway(self._recorder.instructions, self._now() / self._clock_hz, len(closed), last)

    def _in_time(self, instructions: int) -> bool:
        self._timed_out = time.thread_time() > self._deadline
        self._progress.look(self._underway)
        if self._plan.stop_after is None and self._standstill.check(instructions, self._trace.is_on):
            self._recorder.pause()
        if self._trace.enough:
            self._recorder.pause()
        return not (self._timed_out or self._interrupted() or self._trace.ends_run)
