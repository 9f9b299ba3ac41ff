"""How a run ended, in words, for all emulators: they pass in facts or a fault, and get the reason, status and sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mcu_harness.emulator.contract import ExitReason, Fault, FaultKind, RunPlan, Wait
from mcu_harness.emulator.fault_kinds import FAULT_MEANINGS, LEAVES_THUMB
from mcu_harness.hardware.arm.thumb import instruction_size

WAITS = {
    Wait.BRANCH: "it branches to itself for ever",
    Wait.INTERRUPT: "it waits for an interrupt (WFI), and none can come",
    Wait.EVENT: "it waits for an event (WFE), and none can come",
    Wait.IN_VAIN: "it waits for an interrupt, and those that come change nothing for it",
    Wait.LOOP: "it goes round a loop in which nothing changes any more",
    Wait.UNKNOWN: "the core executes nothing any more",
}


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, as `Execution` says it."""

    reason: ExitReason
    status: int | None = None
    detail: str = ""
    fault: Fault | None = None
    wait: Wait | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run when it ends.

    `closed` is how many windows have closed, `is_open` whether one is open that is not the whole run, and `dropped` how many
    are not counted, since they were left without a return; `step` the step of
    the dialogue that is under way, in words; `returned` what main has returned, as a word, None if it has not.
    """

    plan: RunPlan
    closed: int
    is_open: bool
    step: str
    returned: int | None
    dropped: int = 0

    @property
    def missing(self) -> int:
        """How many of the windows that the plan counts have not closed."""
        return len(self.plan.windows) - self.closed if self.plan.windows else 0


def exited(facts: RunFacts, word: int) -> End:
    """The program ended by itself with the status `word`, an unsigned number of 32 bits."""
    status = word - (1 << 32) if word >> 31 else word
    if facts.missing:
        of = f"before {facts.missing} of {len(facts.plan.windows)} inferences"
        return End(ExitReason.STOPPED_EARLY, status, f"the program ended with status {status} {of}")
    return finished(facts, status=status)


def finished(facts: RunFacts, detail: str = "", status: int | None = None) -> End:
    """The regular end, unless something that was to be seen did not come."""
    if facts.step:
        return End(ExitReason.STOPPED_EARLY, status, f"the program ended in {facts.step}")
    if facts.plan.repeat and not facts.closed:
        reached = facts.is_open or facts.dropped
        what = "did not come to its end" if reached else "was never reached"
        place = f"{facts.plan.begin or 0:#010x}"
        return End(ExitReason.STOPPED_EARLY, status, f"what is to be measured, {place}, {what}")
    return End(ExitReason.FINISHED, status, f"{detail}{_measured(facts)}" if detail else "")


def waits_for_ever(facts: RunFacts, wait: Wait, in_main: bool) -> End:
    """It does nothing any more: an end when main is over, or is itself what waits (`in_main`); a failure otherwise."""
    if facts.returned is not None:
        return exited(facts, facts.returned)
    measured = (
        wait is Wait.IN_VAIN and facts.plan.repeat and facts.closed
    )  # by what interrupts it, for all that is known
    if (in_main or measured) and not facts.step:
        return replace(finished(facts, WAITS[wait]), wait=wait)
    return End(ExitReason.ENDLESS_LOOP, detail=WAITS[wait], wait=wait)


def stopped_after(facts: RunFacts) -> End:
    """The plan's `stop_after` was reached."""
    return finished(facts, f"it was stopped after {facts.plan.stop_after:,} instructions")


def out_of_time(facts: RunFacts) -> End:
    """The plan's time is over: no failure of firmware that goes on for ever, once something was measured."""
    return _limited(facts, ExitReason.TIMEOUT, f"{facts.plan.timeout_s:g} s")


def out_of_instructions(facts: RunFacts) -> End:
    """As `out_of_time`, of the plan's instructions."""
    return _limited(facts, ExitReason.INSTRUCTION_LIMIT, f"{facts.plan.max_instructions:,} instructions")


def _limited(facts: RunFacts, reason: ExitReason, limit: str) -> End:
    if facts.plan.repeat and facts.closed and not facts.step:
        return finished(facts, f"it was stopped after {limit} (--stop-after ends it earlier)")
    detail = f"not finished after {limit}"
    return End(reason, detail=f"{detail}, in {facts.step}" if facts.step else detail)


def _measured(facts: RunFacts) -> str:
    """How many windows were measured, where that is up to the program."""
    if not facts.plan.repeat:
        return ""
    return f", after {facts.closed:,} measured window{'s' if facts.closed > 1 else ''}"


def faulted(fault: Fault, sentence: str = "") -> End:
    """A fault; `sentence` is for those whose kind does not say enough."""
    return End(ExitReason.FAULT, detail=sentence or FAULT_MEANINGS[fault.kind].sentence, fault=fault)


def other_core_lost(name: str, at: int) -> str:
    """Why a run cannot go on in which nothing is wrong with the core under test."""
    return f"the core {name}, which runs beside the one under test, went to {at:#010x}, where no code is"


def no_stack(frame: int, number: int) -> str:
    """Exception `number`, 0 where it is not known, and no memory for its frame."""
    return f"an exception{_numbered(number)} finds no stack: its frame would be at {frame:#010x}"


def no_stack_to_return(frame: int, number: int) -> str:
    """As `no_stack`, for the return from an exception."""
    return f"the return from an exception{_numbered(number)} finds no stack: {frame:#010x} is outside of memory"


def _numbered(number: int) -> str:
    return f" (number {number})" if number else ""


def no_vectors(table: int, stack: int, reset: int) -> End:
    return faulted(
        Fault(FaultKind.NO_VECTORS, table),
        f"no vector table at {table:#010x}: stack {stack:#010x}, reset {reset:#010x}",
    )


def bad_access(fault: Fault, memories: str) -> str:
    """A read or write where nothing is, or to flash; `memories` are those of the board."""
    size = f"{fault.size} B " if fault.size else ""
    where = f"{'reads' if fault.kind is FaultKind.READ else 'writes'} {size}at {fault.address or 0:#010x}"
    if fault.kind is FaultKind.FLASH_WRITE:
        return f"it {where}, which is flash"
    return f"it {where}, where the board has no memory (memories: {memories})"


def bad_jump(address: int, memories: str, holds: str = "") -> str:
    """A jump to where no code is; `holds` names what else is there."""
    if holds:
        return f"it jumps to {address:#010x} in {holds}, which the core cannot fetch code from"
    return f"it jumps to {address:#010x}, where no code can be (memories: {memories})"


def no_code(address: int) -> str:
    """A jump to where there is something that is no code."""
    return f"it jumps to {address:#010x}, where no whole instruction is"


def even_jump(address: int) -> str:
    return f"{LEAVES_THUMB}: a jump to {address:#010x} without bit 0 set"


def undefined(code: bytes) -> str:
    """An instruction that the core does not have; `code` begins with it."""
    return f"the core has no instruction {shown(code)} (undefined, or of a larger core or an FPU)"


def breakpoint_reached(code: bytes) -> str:
    return f"it runs into a breakpoint ({shown(code[:2])}) without a debugger"


def shown(code: bytes) -> str:
    """The first instruction of `code` in hexadecimal halfwords."""
    if len(code) < 2:
        return "(no memory)"
    size = min(len(code), instruction_size(int.from_bytes(code[:2], "little")))
    return " ".join(f"{int.from_bytes(code[i : i + 2], 'little'):04x}" for i in range(0, size, 2))
