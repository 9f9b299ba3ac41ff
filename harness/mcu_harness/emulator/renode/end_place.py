"""At which instruction a run in Renode ended, where Renode itself names another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mcu_harness.emulator.fault_kinds import Fault, FaultKind
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.renode.accessing import MOST_BYTES, accessing, numbered
from mcu_harness.emulator.renode.even_jump import even_jump, is_call
from mcu_harness.emulator.renode.outcome import THUMB_STATE, is_even_jump
from mcu_harness.emulator.renode.protocol import Cause, End

NOWHERE = 0xFFFFFFFE  # a handler that is never entered: Renode finds endless loops, and takes exceptions, itself
_ARRIVES = (FaultKind.JUMP, FaultKind.NOT_THUMB)  # where a jump went to, not where it is

ReadCode = Callable[[int, int], bytes]
ReadWord = Callable[[int], int | None]


def located(end: End, code: ReadCode, word: ReadWord) -> tuple[End, int | None]:
    """`end` at the instruction that it is about, and as silicon would have it after a jump to an even address.

    Also gives where such a jump is, None where it is about none. `code(address, size)` are the bytes that are known there, `word`
    reads the stack at the end.
    """
    return _jumped(_placed(end, code), code, word)


@dataclass(frozen=True, slots=True)
class LastBranches:
    """The block that ran last, the last instruction of the one before it, and its own."""

    block: int
    to_block: int | None
    to_other: int | None

    def to(self, target: int) -> int | None:
        """The instruction that led to `target`, at which Renode may have begun a block already."""
        return self.to_block if self.block == target else self.to_other


NO_BRANCHES = LastBranches(NOWHERE, None, None)


def last_branches(recorder: BlockRecorder) -> LastBranches:
    """Of what was recorded so far."""
    block = recorder.last_block
    return LastBranches(block, recorder.branch_to(block), recorder.branch_to(NOWHERE))


def arrived(fault: Fault, pc: int, origin: int | None, is_even_jump: bool, branches: LastBranches) -> Fault:
    """`fault` with the jump that led to it, at `origin` where that is known already; of an even jump, `pc` is not its target."""
    if origin is None and fault.kind in _ARRIVES and fault.address == pc:
        origin = branches.to(NOWHERE if is_even_jump else pc)
    return fault if origin is None else replace(fault, origin=origin)


def _placed(end: End, code: ReadCode) -> End:
    if end.cause is not Cause.BAD_ACCESS or end.about == end.pc:
        return end
    pc = end.pc & ~1
    at = accessing(code(pc, MOST_BYTES), pc, end.about, end.is_write, numbered(end.registers))
    return replace(end, pc=at, registers={**end.registers, "pc": at}) if at != pc else end


def _jumped(end: End, code: ReadCode, word: ReadWord) -> tuple[End, int | None]:
    if not is_even_jump(end):
        return end, None
    found = even_jump(end.pc & ~1, end.registers, code, word)
    if found is None:
        return end, None
    origin, target = found
    registers = {**end.registers, "pc": target, "xpsr": end.registers["xpsr"] & ~THUMB_STATE}
    if is_call(code(origin, 2)):
        registers["lr"] = origin + 2 | 1
    return replace(end, pc=target, registers=registers), origin
