"""Programs that wait for ever: for what, in which loop, asking which device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capstone import arm

from mcu_harness.analysis.diagnose.arguments import next_constants
from mcu_harness.analysis.diagnose.context import Case, call_lines
from mcu_harness.analysis.diagnose.failure_functions import failure_function
from mcu_harness.analysis.stack.flow import Flow, flow
from mcu_harness.emulator.contract import Wait
from mcu_harness.emulator.ending import WAITS
from mcu_harness.hardware.arm.address_map import PRIVATE_BUS, is_device
from mcu_harness.hardware.arm.decoder import decoded
from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.hardware.peripherals import peripheral_at
from mcu_harness.image.program import Program
from mcu_harness.image.symbols import Symbol
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, Verdict

_ENDS = ("exit", "_exit", "_Exit")
_MOST_NAMED = 4
_CONSOLE_BYTES = 0x400  # of the UART's registers, at least
_MOST_CALLS = 8  # functions that a loop calls, and are looked into
_REGISTERS = {getattr(arm, f"ARM_REG_R{nth}"): f"r{nth}" for nth in range(13)} | {arm.ARM_REG_SP: "sp"}
_LOADS = (arm.ARM_INS_LDR, arm.ARM_INS_LDRB, arm.ARM_INS_LDRH, arm.ARM_INS_LDRSB, arm.ARM_INS_LDRSH, arm.ARM_INS_LDRD)
_STORES = (arm.ARM_INS_STR, arm.ARM_INS_STRB, arm.ARM_INS_STRH, arm.ARM_INS_STRD)
_AFTER = {Wait.INTERRUPT: 2, Wait.EVENT: 2, Wait.IN_VAIN: 2}  # bytes by which execution stands behind the instruction


@dataclass(frozen=True, slots=True)
class Loop:
    """Instructions of `function` that lead to each other. `has_exit` is whether any of them leads elsewhere.

    `reads` are registers of devices that it reads, `uses` those that its function accesses beside them.
    """

    function: Symbol
    at: int
    has_exit: bool
    reads: tuple[int, ...]
    uses: tuple[int, ...]


def waiting_finding(case: Case) -> Finding | None:
    """The finding for a program that waits for something that never comes; None where its main loop is what goes on for ever."""
    execution, wait = case.execution, case.execution.wait
    if wait in (None, Wait.BRANCH, Wait.UNKNOWN):
        return None
    loop = loop_of(case)
    if execution.status is None and execution.detail and execution.reason == "finished":
        measured = case.firmware.plan.repeat and execution.window_instructions
        if measured or loop is None or not loop.has_exit:
            return None  # that is how firmware ends
    assert wait is not None
    named = _named(case, loop)
    place = case.places.where(execution.pc - _AFTER.get(wait, 0))
    return Finding(
        code=Code.RUN_WAITING,
        verdict=Verdict.FAIL,
        message=f"{WAITS[wait]}, {place}{case.layer}{named}",
        advice=_advice(loop, case),
        details=tuple(call_lines(case)),
    )


def loop_of(case: Case) -> Loop | None:
    """The loop in which the run ended, in the innermost function that has one; else the place itself, which has an exit."""
    program, registers = case.program, case.execution.registers
    back = [call.returns_to for call in reversed(case.execution.calls)]
    own = case.execution.wait
    first = case.execution.pc - _AFTER.get(own, 0) if own else case.execution.pc
    function = program.function_at(first)
    if function is not None and first == function.address:  # it has been called, and no more
        back.insert(0, registers.get("lr"))
    innermost = None
    for at in (first, *(site - 1 & ~1 for site in back if site is not None)):
        function = program.function_at(at)
        if function is None or not function.size:
            continue
        code = _Code(program, function)
        at = code.instruction_at(at)
        nodes = code.loop(at)
        found = _loop(case, code, at, nodes, registers if innermost is None else {})
        innermost = innermost or found
        if nodes:
            return found
    return innermost


def _loop(case: Case, code: _Code, at: int, nodes: set[int], registers: dict[str, int]) -> Loop:
    inside = nodes or {at}
    has_exit = any(to not in inside for node in inside for to in code.leads_to(node))
    reads = set(code.accesses(inside, registers, _LOADS))
    called = [case.program.function_at(to) for to in sorted(code.called(inside))][:_MOST_CALLS]
    for function in called:
        if function is not None and function.size:
            callee = _Code(case.program, function)
            reads |= set(callee.accesses(set(callee.instructions), {}, _LOADS))
    uses = set(code.accesses(set(code.instructions), registers, (*_LOADS, *_STORES))) - reads
    return Loop(code.function, at, has_exit, _devices(reads), _devices(uses))


def _devices(addresses: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(a for a in addresses if is_device(a) or PRIVATE_BUS.holds(a)))


def _named(case: Case, loop: Loop | None) -> str:
    """What of devices a loop has to do with, for the message."""
    if loop is None:
        return ""
    text = ""
    if loop.function.address != getattr(case.program.function_at(case.execution.pc), "address", None):
        text = f", in the loop {case.places.where(loop.at)}"
    if loop.reads:
        return f"{text}; the loop reads {_list(case, loop.reads)}"
    devices = [address for address in loop.uses if is_device(address)]
    return f"{text}; its function uses {_list(case, devices)}" if devices else text


def _list(case: Case, addresses: Iterable[int]) -> str:
    addresses = list(addresses)
    shown = ", ".join(describe(address, case.board.part) for address in addresses[:_MOST_NAMED])
    return shown + (f" and {len(addresses) - _MOST_NAMED} more" if len(addresses) > _MOST_NAMED else "")


def describe(address: int, part: str) -> str:
    """ "USART2 (0x40004400)": a device register by the name of its device, where that is known."""
    name = peripheral_at(address, part)
    return f"{name} ({address:#010x})" if name else f"{address:#010x}"


def _advice(loop: Loop | None, case: Case) -> str:
    console = case.board.console.base
    if loop is not None and console and any(console <= address < console + _CONSOLE_BYTES for address in loop.reads):
        return (
            "it waits for input on the console: send it some, with [[console.dialogue]] in a scenario or `send` on a live "
            "board (`mcu_board`); or end the run before, with --stop"
        )
    devices = loop is not None and any(is_device(address) for address in (*loop.reads, *loop.uses))
    what = "that device, which does nothing here" if devices else "what it waits for, a device or an interrupt"
    return (
        f"what ends this wait is missing on the emulated board: give it {what} (a platform of Renode's that has it, "
        "[renode] include, a Python device on a live board), or leave that code out of the image"
    )


def _reachable(start: int, steps: Mapping[int, list[int]]) -> set[int]:
    """Where one gets to from `start` by one of `steps` or more."""
    left, found = [start], set[int]()
    while left:
        for to in steps.get(left.pop(), []):
            if to not in found:
                found.add(to)
                left.append(to)
    return found


class _Code:
    """The instructions of one function, by address."""

    def __init__(self, program: Program, function: Symbol) -> None:
        self._program = program
        self.function = function
        self._code = program.bytes_at(function.address, function.size)
        self.instructions: list[int] = []
        at = 0
        while at + 2 <= len(self._code):
            self.instructions.append(function.address + at)
            at += instruction_size(self._half(at))

    def _half(self, at: int) -> int:
        return int.from_bytes(self._code[at : at + 2], "little")

    def instruction_at(self, address: int) -> int:
        """Where the instruction begins that holds `address`."""
        return max((at for at in self.instructions if at <= address), default=address)

    def leads_to(self, address: int) -> list[int]:
        """What can follow the instruction, a return as address 0; nothing where that is not known, or it does not go on."""
        at = address - self.function.address
        size = instruction_size(self._half(at))
        leaves = flow(self._half(at), self._half(at + 2), self._code[at : at + size], address)
        after = address + size
        if leaves is None or leaves.flow is Flow.INDIRECT_CALL:
            return self._on(after)
        if leaves.flow is Flow.CALL:
            callee = self._program.function_at(leaves.target) if leaves.target is not None else None
            ends = callee is not None and (callee.name in _ENDS or failure_function(callee.name) is not None)
            return [] if ends else self._on(after)
        if leaves.flow in (Flow.RETURN, Flow.INDIRECT_JUMP, Flow.LITERAL_JUMP):
            return [0]
        if leaves.flow is Flow.JUMP:
            return [leaves.target] if leaves.target is not None else []
        if leaves.flow is Flow.BRANCH:
            return [*([leaves.target] if leaves.target is not None else []), *self._on(after)]
        return []

    def _on(self, address: int) -> list[int]:
        return [address] if address < self.function.address + self.function.size else []

    def loop(self, at: int) -> set[int]:
        """The instructions that `at` leads to and that lead back to it; empty where it does not come back."""
        known = set(self.instructions)
        onward = {node: [to for to in self.leads_to(node) if to in known] for node in self.instructions}
        back: dict[int, list[int]] = {}
        for node, following in onward.items():
            for to in following:
                back.setdefault(to, []).append(node)
        return _reachable(at, onward) & _reachable(at, back)

    def called(self, nodes: set[int]) -> set[int]:
        """The functions that these instructions call."""
        found = set()
        for address in nodes:
            at = address - self.function.address
            leaves = flow(self._half(at), self._half(at + 2), self._code[at : at + 4], address)
            if leaves is not None and leaves.flow is Flow.CALL and leaves.target is not None:
                found.add(leaves.target)
        return found

    def accesses(self, nodes: set[int], registers: dict[str, int], kinds: tuple[int, ...]) -> Iterator[int]:
        """Addresses that those of the instructions access which are of these `kinds`, as far as they are known.

        By constants that stand before them in the function, else by `registers` that nothing in `nodes` writes.
        """
        written = {register for one in self._decoded(nodes) for register in one.regs_access()[1]}
        known: dict[int, int] = {}
        for one in self._decoded(set(self.instructions)):
            memory = next((operand.mem for operand in one.operands if operand.type == arm.ARM_OP_MEM), None)
            if one.address in nodes and one.id in kinds and memory is not None and not memory.index:
                base = known.get(memory.base)
                if base is None and memory.base not in written:
                    base = registers.get(_REGISTERS.get(memory.base, ""))
                if base is not None:
                    yield base + memory.disp & 0xFFFFFFFF
            next_constants(one, known, self._program)

    def _decoded(self, nodes: set[int]) -> Iterator[Any]:
        for address in sorted(nodes):
            at = address - self.function.address
            yield from decoded(self._code[at : at + instruction_size(self._half(at))], address, 1)
