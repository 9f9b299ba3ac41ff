"""One run in a Renode that stands ready: what is sent, what comes back, and what that amounts to."""

from __future__ import annotations

import time
from dataclasses import replace

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Call, Execution, Fault, FaultKind, RunPlan, WindowEnds
from mcu_harness.emulator.progress import Progress, Underway
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder, NoCodeError
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.accessing import MOST_BYTES, accessing, numbered
from mcu_harness.emulator.renode.blocks import BlockIntake
from mcu_harness.emulator.renode.even_jump import even_jump, is_call
from mcu_harness.emulator.renode.image import LoadedProgram
from mcu_harness.emulator.renode.outcome import THUMB_STATE, explain, is_even_jump
from mcu_harness.emulator.renode.platform import console_input
from mcu_harness.emulator.renode.server import RenodeServer
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_ARRIVES = (FaultKind.JUMP, FaultKind.NOT_THUMB)  # where a jump went to, not where it is
_NOWHERE = 0xFFFFFFFE  # a handler that is never entered: Renode finds endless loops itself
Branches = tuple[int, int | None, int | None]  # the last block, the instruction that led there, and its own last one
_GRACE_S = 20.0  # what Renode may take, beyond the plan's own limit, to say that it was reached


class Run:
    """The state of one run. `watch_flash` makes it slow, and stops it at the first write to flash."""

    def __init__(self, program: Program, board: Board, plan: RunPlan, watch_flash: bool = False) -> None:
        self._board = board
        self._plan = plan
        self._watch_flash = watch_flash
        self._program = LoadedProgram(program, board, plan.vectors)
        self._first_stack: int | None = None
        self._calls_at_close: tuple[Call, ...] = ()
        self._branches_at_close: Branches = (_NOWHERE, None, None)
        self._instructions: list[int] = []
        self._reads: list[tuple[bytes, ...]] = []
        self._recorder: BlockRecorder | None = None
        self._recorded = 0
        self._no_code: int | None = None
        self._progress = Progress(plan.tell)
        self.intact = True  # whether the server can be used for another run
        self.flash_changed = False
        if plan.profile:
            self._recorder = BlockRecorder(
                self._program.code,
                functions=function_ranges(program),
                handlers={_NOWHERE},
                each_call=plan.each_call,
                sizes_are_instructions=True,
            )
            self._intake = BlockIntake(self._recorder, self._program.code, self._program.function_start)

    def on(self, server: RenodeServer) -> Execution:
        """Run to the end in `server`, in which the board is ready."""
        started = time.perf_counter()
        deadline = time.monotonic() + self._plan.timeout_s + _GRACE_S
        console = console_input(self._board)
        clock_hz = self._board.clock_hz
        server.request(
            protocol.run_request(self._plan, self._program.image, self._watch_flash, console, round(clock_hz))
        )
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

    def _close_window(self, frame: bytearray) -> None:
        instructions, reads = protocol.read_window(frame)
        self._instructions.append(instructions)
        if self._plan.windows:
            self._reads.append(reads)
        if self._recorder is not None and self._no_code is None:
            recorded = self._recorder.instructions - self._recorded
            self._recorded = self._recorder.instructions
            if recorded != instructions and not self._watch_flash:
                raise EmulatorError(
                    f"Renode counted {instructions:,} instructions but reported blocks of {recorded:,}",
                    hint="report this as a bug, with the firmware",
                )
            self._intake.settle(0)
            self._calls_at_close = self._recorder.calls()
            self._branches_at_close = self._branches(self._recorder)
            self._recorder.end()

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

    def _last_branch(self, target: int) -> int | None:
        """The last instruction of the block that ran last, but for one at `target`, which Renode may have begun already."""
        if self._recorder is None:
            return None
        block, to_block, to_other = self._branches_at_close if self._is_closed else self._branches(self._recorder)
        return to_block if block == target else to_other

    @staticmethod
    def _branches(recorder: BlockRecorder) -> Branches:
        block = recorder.last_block
        return block, recorder.branch_to(block), recorder.branch_to(_NOWHERE)

    def _placed(self, end: protocol.End) -> protocol.End:
        """`end` at the instruction that it is about."""
        if end.cause is not protocol.Cause.BAD_ACCESS or end.about == end.pc:
            return end
        pc = end.pc & ~1
        at = accessing(self._program.code(pc, MOST_BYTES), pc, end.about, end.is_write, numbered(end.registers))
        return replace(end, pc=at, registers={**end.registers, "pc": at}) if at != pc else end

    def _jumped(self, end: protocol.End) -> tuple[protocol.End, int | None]:
        """`end` as silicon would have it, after the jump to an even address that it may be about, and where the jump is."""
        if not is_even_jump(end):
            return end, None
        low, high = self._plan.stack

        def word(address: int) -> int | None:
            at = address - low
            return int.from_bytes(end.stack[at : at + 4], "little") if low <= address <= high - 4 else None

        found = even_jump(end.pc & ~1, end.registers, self._program.code, word)
        if found is None:
            return end, None
        origin, target = found
        registers = {**end.registers, "pc": target, "xpsr": end.registers["xpsr"] & ~THUMB_STATE}
        if is_call(self._program.code(origin, 2)):
            registers["lr"] = origin + 2 | 1
        return replace(end, pc=target, registers=registers), origin

    def _execution(self, end: protocol.End, emulation_s: float) -> Execution:
        self.intact, self.flash_changed = end.intact, end.flash_changed
        end, not_made = self._jumped(self._placed(end))
        origin = not_made
        pc = end.pc & ~1
        around = self._program.code(pc - 2, 6)
        closed = len(self._instructions)
        outcome = explain(end, self._board, self._plan, closed, self._program.vectors, around)
        if self._no_code is not None:
            pc = self._no_code
            outcome = ending.faulted(Fault(FaultKind.JUMP, pc), ending.no_code(pc))
        fault = outcome.fault
        if fault is not None and fault.kind in _ARRIVES and fault.address == pc and self._no_code is None:
            target = _NOWHERE if is_even_jump(end) else pc  # of a jump that was not made, pc is not its target
            origin = self._last_branch(target) if origin is None else origin
        if fault is not None and origin is not None:
            fault = replace(fault, origin=origin)
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
            blocks=None if self._recorder is None else self._recorder.counts(),
            emulation_s=emulation_s,
            fault=fault,
            calls=self._calls(end, not_made if fault and fault.kind is FaultKind.NOT_THUMB else None),
            window_stack=self._first_stack,
            heap=end.heap,
            wait=outcome.wait,
            window_ends=WindowEnds(unfinished=int(end.window_open and not self._is_closed)),
        )
