"""Everything that a core can fault on, a row each: what is said of it, its finding, and the flags that it leaves on a board.

Where an emulator sees one is in `unicorn/faults.py` and `renode/outcome.py`; `analysis/diagnose/` makes findings of them. Flags are
those of the fault status registers (Armv7-M Architecture Reference Manual, DDI 0403, B1.5.6; STKOF: Armv8-M, DDI 0553).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mcu_harness.results.finding_codes import Code

LEAVES_THUMB = "it leaves Thumb state, which a Cortex-M core cannot"


class FaultKind(StrEnum):
    """What a core could not do. Fault handlers of the program are not run: this is where they would be entered."""

    UNDEFINED = "undefined instruction"
    UNALIGNED = "unaligned access"
    DIVIDE_BY_ZERO = "division by zero"
    READ = "read outside of memory"
    WRITE = "write outside of memory"
    FLASH_WRITE = "write to flash"
    JUMP = "jump to where no code can be"
    NOT_THUMB = "jump to an address without the Thumb bit"
    NO_COPROCESSOR = "no coprocessor"
    STACK_LIMIT = "stack pointer below its limit"
    BREAKPOINT = "breakpoint"
    SUPERVISOR_CALL = "supervisor call"
    EXCEPTION_RETURN = "return from no exception"
    RETURN_FROM_RESET = "return from the first function"
    RESET_REQUEST = "request for a reset"
    NO_VECTORS = "no vector table"
    NO_HANDLER = "exception without a handler"
    STACKING = "no stack for an exception"
    UNSTACKING = "no stack to return from an exception"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fault:
    """`address` is what was accessed or jumped to, None where it is not about one; `size` the access's bytes.

    `origin` is the instruction that jumped, where that is known and is not the one at which the run ended.
    """

    kind: FaultKind
    address: int | None = None
    size: int = 0
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class FaultMeaning:
    """`said` and `advice` are those of the finding `code`; `said` is filled in with address, size, instruction, detail.

    `sentence` is how emulators say it where they know no more than the kind, "" where they always do. `status` are the flags of CFSR and
    `status_note` what is to be known of them; faults without flags are told apart in `analysis/diagnose/status.py`.
    """

    code: Code
    said: str
    advice: str
    sentence: str = ""
    status: tuple[str, ...] = ()
    status_note: str = ""


_POINTER = "look at where the pointer in that line comes from"
FAULT_MEANINGS: dict[FaultKind, FaultMeaning] = {
    FaultKind.UNDEFINED: FaultMeaning(
        Code.FAULT_UNDEFINED_INSTRUCTION,
        "it runs into {instruction}, which is no instruction",
        "data was executed as code, or code was overwritten: look at the last calls, at function pointers and at the stack",
        status=("UNDEFINSTR",),
    ),
    FaultKind.UNALIGNED: FaultMeaning(
        Code.FAULT_UNALIGNED,
        "`{instruction}` accesses memory at an address that is not aligned, which the core does not do",
        "a pointer was cast to a wider type, or a packed member is used through one: use memcpy, or align the data",
        status=("UNALIGNED",),
    ),
    FaultKind.DIVIDE_BY_ZERO: FaultMeaning(
        Code.FAULT_DIVIDE_BY_ZERO,
        "`{instruction}` divides by zero, and CCR.DIV_0_TRP makes that a fault",
        "check the divisor before the division in that line",
        sentence="it divides by zero, and CCR.DIV_0_TRP makes that a fault",
        status=("DIVBYZERO",),
    ),
    FaultKind.READ: FaultMeaning(
        Code.FAULT_READ,
        "it reads {size} B at {address}, where the board has no memory",
        _POINTER,
        status=("PRECISERR", "BFARVALID"),
    ),
    FaultKind.WRITE: FaultMeaning(
        Code.FAULT_WRITE,
        "it writes {size} B at {address}, where the board has no memory",
        _POINTER,
        status=("IMPRECISERR",),
        status_note="writes are buffered: the stacked pc may lie some instructions later, and BFAR is not set",
    ),
    FaultKind.FLASH_WRITE: FaultMeaning(
        Code.FAULT_FLASH_WRITE,
        "it writes{sized} at {address}, which is flash",
        "a pointer to a constant, or a null pointer, is written through; flash is written by its controller only",
        status=("IMPRECISERR",),
        status_note="where the flash controller answers with a bus error; others ignore the write",
    ),
    FaultKind.JUMP: FaultMeaning(
        Code.FAULT_JUMP,
        "it jumps to {address}, where no code can be",
        "a function pointer is wrong, or a return address on the stack was overwritten: look for an array written beyond its end",
        status=("IBUSERR",),
    ),
    FaultKind.NOT_THUMB: FaultMeaning(
        Code.FAULT_NOT_THUMB,
        "it jumps to {address} without bit 0 set, which would leave Thumb state",
        "a function pointer holds a plain address: take it from the function's name, or set bit 0 (| 1)",
        sentence=LEAVES_THUMB,
        status=("INVSTATE",),
    ),
    FaultKind.NO_COPROCESSOR: FaultMeaning(
        Code.FAULT_NO_COPROCESSOR,
        "`{instruction}` uses a coprocessor that the core does not have, or that is off",
        "compile for this core; for its FPU, enable it in CPACR (0xE000ED88) first",
        sentence="it uses a coprocessor (or FPU) that the core does not have, or that is off",
        status=("NOCP",),
    ),
    FaultKind.STACK_LIMIT: FaultMeaning(
        Code.RUN_STACK_OVERFLOW,
        "the stack pointer goes below the limit that the program has set for it (MSPLIM, PSPLIM)",
        "give that stack more room, or look for large locals and deep calls",
        sentence="the stack pointer went below its limit",
        status=("STKOF",),
    ),
    FaultKind.BREAKPOINT: FaultMeaning(
        Code.FAULT_BREAKPOINT,
        "it runs into a breakpoint, `{instruction}`, without a debugger",
        "take it out, or look at the check before it that failed",
    ),
    FaultKind.SUPERVISOR_CALL: FaultMeaning(
        Code.FAULT_SUPERVISOR_CALL,
        "it calls the supervisor (`{instruction}`) where no handler may run: masked, or in a handler of as high a priority",
        "call it from thread code with interrupts enabled, or give SVC a higher priority than the handler that calls it",
        sentence="it calls the supervisor (SVC), and there is no handler that may run",
    ),
    FaultKind.EXCEPTION_RETURN: FaultMeaning(
        Code.FAULT_EXCEPTION_RETURN,
        "it returns from an exception, to {address}, but none was taken",
        "an EXC_RETURN value came into the link register or onto the stack: look at hand-written handlers and context switches",
        sentence="it returns from an exception, but none was taken",
        status=("IACCVIOL",),
    ),
    FaultKind.RETURN_FROM_RESET: FaultMeaning(
        Code.FAULT_RETURN_FROM_RESET,
        "it returns from its first function, with the value in the link register that it has after reset",
        "end the reset handler in a loop, and do not return from a main that has no caller",
        sentence="it returns from its first function: the link register still has its value after reset",
        status=("IACCVIOL",),
    ),
    FaultKind.RESET_REQUEST: FaultMeaning(
        Code.FAULT_RESET,
        "it asks for a system reset (AIRCR.SYSRESETREQ)",
        "look at what decided that: a failed check, a fault handler that resets, or a boot loader",
        sentence="it asked for a system reset",
    ),
    FaultKind.NO_VECTORS: FaultMeaning(
        Code.FAULT_NO_VECTORS,
        "there is no vector table at {address}",
        "place the table there in the linker script, and keep the linker from dropping it: KEEP(*(.isr_vector))",
    ),
    FaultKind.NO_HANDLER: FaultMeaning(
        Code.FAULT_NO_HANDLER,
        "{detail}",
        "put a handler into the vector table for it, or keep it disabled",
        status=("INVSTATE",),
    ),
    FaultKind.STACKING: FaultMeaning(
        Code.FAULT_STACKING,
        "{detail}",
        "the stack pointer was wrong when the exception came: look at what sets it, and at how deep the stack was",
        status=("STKERR",),
    ),
    FaultKind.UNSTACKING: FaultMeaning(
        Code.FAULT_UNSTACKING,
        "{detail}",
        "the stack pointer was changed in the handler: look at context switches, PSP and EXC_RETURN",
        status=("UNSTKERR",),
    ),
    FaultKind.OTHER: FaultMeaning(Code.FAULT_OTHER, "{detail}", "look at the function named, and at the last calls"),
}
