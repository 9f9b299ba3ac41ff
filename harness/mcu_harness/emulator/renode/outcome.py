"""What the end of a run in Renode means: the same reason, and as far as possible the same words, as elsewhere."""

from __future__ import annotations

from mcu_harness.emulator.contract import ExitReason, Fault, FaultKind, RunPlan
from mcu_harness.emulator.dialogue import describe_step
from mcu_harness.emulator.renode.protocol import Cause, End
from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.hardware.board import Board

# The translator's own numbers of exceptions (tlib, arch/arm/cpu.h).
_UNDEFINED, _NOT_EXECUTABLE, _FORBIDDEN, _BREAKPOINT, _NO_COPROCESSOR, _INVALID_STATE = 1, 3, 4, 7, 17, 18
_EXCEPTIONS = {
    _NOT_EXECUTABLE: "it fetches an instruction from where no code may be",
    _FORBIDDEN: "it accesses memory that memory protection forbids",
    _NO_COPROCESSOR: "it uses a coprocessor (or FPU) that the core does not have, or that is off",
}
_KINDS = {
    _UNDEFINED: FaultKind.UNDEFINED,
    _NOT_EXECUTABLE: FaultKind.JUMP,
    _BREAKPOINT: FaultKind.BREAKPOINT,
    _NO_COPROCESSOR: FaultKind.NO_COPROCESSOR,
}
THUMB_STATE = 1 << 24
_RESET_LR = 0xFFFFFFFE
_BRANCH_TO_ITSELF = b"\xfe\xe7"
_WAITS = {b"\x30\xbf": "waits for an interrupt (WFI)", b"\x20\xbf": "waits for an event (WFE)"}


def is_even_jump(end: End) -> bool:
    """Whether it ended by a jump to an even address that has not been made: newer versions of Renode stop before it."""
    return end.cause is Cause.EXCEPTION and end.about == _INVALID_STATE and bool(end.registers["xpsr"] & THUMB_STATE)


class Outcome:
    """The end of a run, explained. `code(address, size)` gives the program's bytes."""

    def __init__(self, end: End, board: Board, plan: RunPlan, windows_seen: int, vectors: int, code: bytes) -> None:
        """`code` are the bytes around the last instruction, from two bytes before it."""
        self._end = end
        self._board = board
        self._plan = plan
        self._windows_seen = windows_seen
        self._vectors = vectors
        self._before, self._at = code[:2], code[2:]

    @property
    def status(self) -> int | None:
        """What the program ended with, None when it did not end by itself."""
        if self._end.cause is Cause.EXIT:
            return _signed(self._end.about)
        if self._end.main is not None and (self._end.cause is Cause.STUCK or self._returned_from_reset):
            return _signed(self._end.main)
        return None

    @property
    def _returned_from_reset(self) -> bool:
        end = self._end
        lost = end.cause is Cause.ABORT or (end.cause is Cause.BAD_ACCESS and end.about == end.pc)
        return lost and end.pc == _RESET_LR

    @property
    def fault(self) -> Fault | None:
        """What a FAULT was about, None for any other end."""
        end = self._end
        if self.status is not None:
            return None
        if end.cause is Cause.BAD_VECTORS:
            return Fault(FaultKind.NO_VECTORS, self._vectors)
        if end.cause is Cause.SYSTEM_RESET:
            return Fault(FaultKind.RESET_REQUEST)
        if end.cause is Cause.FLASH_WRITE:
            return Fault(FaultKind.FLASH_WRITE, end.about)
        if end.cause is Cause.ABORT or (end.cause is Cause.BAD_ACCESS and end.about == end.pc):
            return Fault(FaultKind.RETURN_FROM_RESET if self._returned_from_reset else FaultKind.JUMP, end.pc)
        if end.cause is Cause.BAD_ACCESS:
            return Fault(FaultKind.WRITE if end.more & 0x100 else FaultKind.READ, end.about, end.more & 0xFF)
        if end.cause is Cause.EXCEPTION:
            not_thumb = end.about == _INVALID_STATE or not end.registers["xpsr"] & THUMB_STATE
            return Fault(FaultKind.NOT_THUMB, end.pc) if not_thumb else Fault(_KINDS.get(end.about, FaultKind.OTHER))
        return None

    def explain(self) -> tuple[ExitReason, str]:
        """Why the run ended, and the sentence for `Execution.detail`."""
        cause, plan = self._end.cause, self._plan
        if self.status is not None:
            return self._exited()
        if cause in (Cause.WINDOWS_DONE, Cause.STOP_PLACE, Cause.DIALOGUE_OVER):
            return self._finished("")
        if cause is Cause.STOP_AFTER:
            return self._finished(f"it was stopped after {plan.stop_after:,} instructions")
        if cause is Cause.DEADLINE:
            return ExitReason.TIMEOUT, self._said(f"not finished after {plan.timeout_s:g} s")
        if cause is Cause.INSTRUCTION_LIMIT:
            return ExitReason.INSTRUCTION_LIMIT, self._said(
                f"not finished after {plan.max_instructions:,} instructions"
            )
        if cause is Cause.STUCK:
            main, pc = plan.main, self._end.pc & ~1
            if main is not None and main[0] <= pc < main[1] and not self._step:
                return self._finished(self._stuck())
            return ExitReason.ENDLESS_LOOP, self._stuck()
        return ExitReason.FAULT, self._fault()

    @property
    def _step(self) -> str:
        """What the step of the dialogue waits for that was under way, "" when none was."""
        return describe_step(self._plan.dialogue, self._end.step, self._end.unread)

    def _said(self, detail: str) -> str:
        return f"{detail}, in {self._step}" if self._step else detail

    def _exited(self) -> tuple[ExitReason, str]:
        missing = len(self._plan.windows) - self._windows_seen
        if self._plan.windows and missing:
            of = f"before {missing} of {len(self._plan.windows)} inferences"
            return ExitReason.STOPPED_EARLY, f"the program ended with status {self.status} {of}"
        return self._finished("")

    def _finished(self, detail: str) -> tuple[ExitReason, str]:
        """The regular end, unless something that was to be seen did not come."""
        if self._step:
            return ExitReason.STOPPED_EARLY, f"the program ended in {self._step}"
        if self._plan.repeat and not self._windows_seen:
            what = "did not come to its end" if self._end.window_open else "was never reached"
            place = f"{self._plan.begin or 0:#010x}"
            return ExitReason.STOPPED_EARLY, f"what is to be measured, at {place}, {what}"
        return ExitReason.FINISHED, detail

    def _fault(self) -> str:
        end = self._end
        if end.cause is Cause.BAD_VECTORS:
            return f"no vector table at {self._vectors:#010x}: stack {end.about:#010x}, reset {end.more:#010x}"
        if end.cause is Cause.SYSTEM_RESET:
            return "it asked for a system reset"
        if end.cause is Cause.FLASH_WRITE:
            return f"it writes at {end.about:#010x}, which is flash"
        if end.cause is Cause.EXCEPTION:
            return self._exception()
        if end.cause is Cause.BAD_ACCESS and end.about != end.pc:
            what = "writes" if end.more & 0x100 else "reads"
            where = f"{end.more & 0xFF} B at {end.about:#010x}"
            return f"it {what} {where}, where the board has no memory (memories: {_memories(self._board)})"
        if self._returned_from_reset:
            return "it returns from its first function: the link register still has its value after reset"
        return f"it jumps to {end.pc:#010x}, where no code can be (memories: {_memories(self._board)})"

    def _exception(self) -> str:
        end = self._end
        if end.about == _INVALID_STATE or not end.registers["xpsr"] & THUMB_STATE:
            return f"it leaves Thumb state, which a Cortex-M core cannot: a jump to {end.pc:#010x} without bit 0 set"
        if end.about == _UNDEFINED:
            return f"the core has no instruction {self._instruction()} (undefined, or of a larger core or an FPU)"
        if end.about == _BREAKPOINT:
            return f"it runs into a breakpoint ({self._instruction()}) without a debugger"
        return _EXCEPTIONS.get(end.about, f"the core takes the unexpected exception {end.about}")

    def _stuck(self) -> str:
        if self._at[:2] == _BRANCH_TO_ITSELF:
            return "it branches to itself for ever"
        waits = _WAITS.get(self._at[:2]) or _WAITS.get(self._before)
        return f"it {waits}, and none can come" if waits else "the core executes nothing any more"

    def _instruction(self) -> str:
        if len(self._at) < 2:
            return "(no memory)"
        size = min(len(self._at), instruction_size(int.from_bytes(self._at[:2], "little")))
        return " ".join(f"{int.from_bytes(self._at[i : i + 2], 'little'):04x}" for i in range(0, size, 2))


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def _memories(board: Board) -> str:
    return ", ".join(f"{m.name} {m.origin:#010x}..{m.end - 1:#010x}" for m in board.memories)
