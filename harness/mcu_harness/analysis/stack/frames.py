"""How deep the stack is at each instruction of a function, from its machine code alone.

Code is followed from the function's entry along its branches, with the stack pointer as a distance from where it was
there. A function's own depth is what it pushes and reserves, as GCC's -fstack-usage has it. Where code cannot be followed
(a jump through a table), what else the function has is taken to start out as deep as that jump was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from mcu_harness.analysis.stack.flow import Flow, Leaves, flow
from mcu_harness.analysis.stack.registers import Registers
from mcu_harness.hardware.arm.stack_effect import SP, Do, Effect, narrow_effect, wide_effect
from mcu_harness.hardware.arm.thumb import ItBlocks, it_length
from mcu_harness.image.program import Program

_LONGEST_WITHOUT_SYMBOL = 1 << 16
# Of one function and of all; nothing real comes near, and images may claim anything.
_MOST_INSTRUCTIONS, _MOST_IN_ALL = 1 << 17, 1 << 19
_TOO_LARGE = "is too large to be followed"


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call, or a jump out of the function (`tail`), at a depth. `target` None where it depends on a register."""

    address: int
    target: int | None
    depth: int
    tail: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """`depths` are the bytes in use before and behind each instruction that was followed; `deepest` is the most of it.

    `unknown` says why the depth may be more than that, "" where nothing is open.
    """

    entry: int
    deepest: int
    depths: Mapping[int, tuple[int, int]]
    calls: tuple[CallSite, ...]
    unknown: str = ""


class Frames:
    """The frames of a program's functions, each found once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._segments = [(segment.address, segment.data) for segment in program.segments]
        self._start, self._data = 0, b""  # the segment that was read last
        self._code_starts = [start for start, _ in program.code_ranges]
        self._known: dict[int, Frame] = {}
        self._followed = 0  # instructions, in all functions

    def at(self, entry: int) -> Frame:
        """The frame of the function that starts at `entry`."""
        if entry not in self._known:
            room = min(_MOST_INSTRUCTIONS, _MOST_IN_ALL - self._followed)
            self._known[entry] = _Walk(self, entry, self._end(entry), room).frame()
            self._followed += len(self._known[entry].depths)
        return self._known[entry]

    def _end(self, entry: int) -> int | None:
        """Where the function ends, None where no symbol says so."""
        function = self._program.function_at(entry)
        return function.address + function.size if function and entry == function.address else None

    def is_function(self, address: int) -> bool:
        """Whether a symbol says that a function starts there."""
        function = self._program.function_at(address)
        return function is not None and function.address == address

    def halfword(self, address: int) -> int | None:
        """None where the image has nothing."""
        at = address - self._start
        if not 0 <= at <= len(self._data) - 2:
            for start, data in self._segments:
                if 0 <= address - start <= len(data) - 2:
                    self._start, self._data, at = start, data, address - start
                    break
            else:
                return None
        return self._data[at] | self._data[at + 1] << 8

    def word(self, address: int) -> int | None:
        low, high = self.halfword(address), self.halfword(address + 2)
        return None if low is None or high is None else low | high << 16

    def code_end(self, address: int) -> int:
        """Where the stretch of code ends that holds `address`; `address` itself where the image says it is data."""
        nth = bisect_right(self._code_starts, address) - 1
        return max(address, self._program.code_ranges[nth][1]) if nth >= 0 else address

    def next_code(self, address: int) -> int | None:
        """Where code starts next, from `address` on."""
        if self.code_end(address) > address:
            return address
        nth = bisect_right(self._code_starts, address)
        return self._code_starts[nth] if nth < len(self._code_starts) else None

    def instruction(self, at: int) -> tuple[int, int, int] | None:
        """First and second halfword (0 without one) and size of the instruction; None where the image has nothing."""
        first = self.halfword(at)
        if first is None:
            return None
        if first < 0xE800:
            return first, 0, 2
        second = self.halfword(at + 2)
        return None if second is None else (first, second, 4)


# How linkers go on from flash to RAM on the small architectures: all instructions of such a function, and where in it the address is.
_LONG_BRANCHES = (
    ((0xB401, 0x4802, 0x4684, 0xBC01, 0x4760), 12),  # GNU ld: push {r0}; ldr r0, [pc, #8]; mov ip, r0; pop {r0}; bx ip
    ((0xB403, 0x4801, 0x9001, 0xBD01), 8),  # LLVM lld: push {r0, r1}; ldr r0, [pc, #4]; str r0, [sp, #4]; pop {r0, pc}
)


def _effect(first: int, second: int, size: int, at: int) -> Effect | None:
    return narrow_effect(first, at) if size == 2 else wide_effect(first, second, at)


class _Walk:
    """One function."""

    def __init__(self, frames: Frames, entry: int, end: int | None, room: int) -> None:
        self._frames = frames
        self._room = room  # for so many instructions
        self._entry = entry
        self._has_symbol = end is not None
        self._end = entry + _LONGEST_WITHOUT_SYMBOL if end is None else end
        self._depths: dict[int, tuple[int, int]] = {}
        self._calls: list[CallSite] = []
        self._unknown = ""
        self._swept = entry  # up to here, everything was reached
        self._ahead: list[tuple[int, Registers]] = []
        self._behind_calls: list[tuple[int, Registers]] = []  # last: the call may be one that never returns
        self._unfollowed: Registers | None = None  # as it was at the deepest jump that could not be followed

    def frame(self) -> Frame:
        self._ahead.append((self._entry, Registers(self._is_computed())))
        while self._ahead or self._behind_calls:
            if len(self._depths) >= self._room:
                self._unknown = _TOO_LARGE
                break
            self._follow(*(self._ahead.pop() if self._ahead else self._behind_calls.pop()))
            if not self._ahead and not self._behind_calls and self._unfollowed is not None:
                self._sweep(self._unfollowed)
        deepest = max((after for _, after in self._depths.values()), default=0)
        return Frame(self._entry, max(0, deepest), self._depths, tuple(self._calls), self._unknown)

    def _is_computed(self) -> bool:
        """Whether the stack pointer is ever set from another register: then those have to be followed as well."""
        if not self._has_symbol:
            return True
        at = self._entry
        while at < self._end:
            read = self._frames.instruction(at)
            if read is None:
                break
            effect = _effect(*read, at)
            if effect is not None and effect.register == SP and (effect.do is not Do.MOVE or effect.source != SP):
                return True
            at += read[2]
        return False

    def _follow(self, at: int, registers: Registers) -> None:
        """One straight stretch, until it ends or meets what is known."""
        limit = min(self._end, self._frames.code_end(at))
        it_blocks, before = ItBlocks(), registers  # what was before the last IT
        while at not in self._depths and len(self._depths) < self._room:
            read = self._frames.instruction(at) if at < limit else None
            if read is None:
                if at < self._end:
                    self._give_up(registers)
                return
            first, second, size = read
            code = (first | second << 16).to_bytes(size, "little")
            conditional = it_blocks.is_skippable(first)
            if it_length(first):
                before = registers.copy()
            depth = registers.depth
            registers.step(_effect(first, second, size, at), code, self._frames.word)
            self._depths[at] = depth, registers.depth
            self._unknown = self._unknown or registers.unknown
            leaves = flow(first, second, code, at)
            if leaves is not None and self._leave(at, at + size, leaves, registers):
                if not conditional:
                    return
                registers = before.copy()
            at += size

    def _leave(self, at: int, following: int, leaves: Leaves, registers: Registers) -> bool:
        """Note where else execution goes; True where it does not go on behind the instruction (or is noted to)."""
        target = leaves.target
        if leaves.flow in (Flow.CALL, Flow.INDIRECT_CALL):
            self._calls.append(CallSite(at, target, registers.depth, tail=False))
            registers.called()
            self._behind_calls.append((following, registers))
        elif leaves.flow in (Flow.JUMP, Flow.BRANCH):
            if target is not None:
                self._jump(at, target, registers)
            return leaves.flow is Flow.JUMP
        elif leaves.flow is Flow.INDIRECT_JUMP:
            self._calls.append(CallSite(at, self._long_branch(), registers.depth, tail=True))
        elif leaves.flow is Flow.RETURN and (target := self._long_branch()) is not None:
            self._calls.append(CallSite(at, target, registers.depth, tail=True))
        elif leaves.flow is Flow.LITERAL_JUMP:
            word = self._frames.word(target or 0)
            self._calls.append(CallSite(at, None if word is None else word & ~1, registers.depth, tail=True))
        elif leaves.flow is Flow.TABLE_JUMP:
            self._give_up(registers)
        return True

    def _long_branch(self) -> int | None:
        """Where the function goes on, if all that it is is such a branch."""
        for halfwords, at in _LONG_BRANCHES:
            if all(self._frames.halfword(self._entry + 2 * nth) == each for nth, each in enumerate(halfwords)):
                word = self._frames.word(self._entry + at)
                return None if word is None else word & ~1
        return None

    def _jump(self, at: int, target: int, registers: Registers) -> None:
        inside = self._entry <= target < self._end
        if inside and (self._has_symbol or target == self._entry or not self._frames.is_function(target)):
            self._ahead.append((target, registers.copy()))
        else:
            self._calls.append(CallSite(at, target, registers.depth, tail=True))

    def _give_up(self, registers: Registers) -> None:
        if not self._has_symbol:
            self._unknown = self._unknown or "jumps through a table, and no symbol says where it ends"
        elif self._unfollowed is None or registers.depth > self._unfollowed.depth:
            self._unfollowed = registers.copy()

    def _sweep(self, registers: Registers) -> None:
        """Start at the next place that was not reached, as if it were jumped to."""
        at = self._frames.next_code(self._swept)
        while at is not None and at in self._depths:
            read = self._frames.instruction(at)
            at = self._frames.next_code(at + (read[2] if read else 2))
        if at is not None and at < self._end:
            self._ahead.append((at, registers.copy()))
            self._swept = at + 2
        else:
            self._unfollowed = None
