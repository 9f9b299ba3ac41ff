"""What each kind of fault means, as data: its code, what happened, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.contract import FaultKind
from mcu_harness.results.finding_codes import Code


@dataclass(frozen=True, slots=True)
class Meaning:
    """`said` is filled in with address, size, instruction; `advice` is one sentence."""

    code: Code
    said: str
    advice: str


_POINTER = "look at where the pointer in that line comes from"
MEANINGS: dict[FaultKind, Meaning] = {
    FaultKind.UNDEFINED: Meaning(
        Code.FAULT_UNDEFINED_INSTRUCTION,
        "it runs into {instruction}, which is no instruction",
        "data was executed as code, or code was overwritten: look at the last calls, at function pointers and at the stack",
    ),
    FaultKind.UNALIGNED: Meaning(
        Code.FAULT_UNALIGNED,
        "`{instruction}` accesses memory at an address that is not aligned, which the core does not do",
        "a pointer was cast to a wider type, or a packed member is used through one: use memcpy, or align the data",
    ),
    FaultKind.DIVIDE_BY_ZERO: Meaning(
        Code.FAULT_DIVIDE_BY_ZERO,
        "`{instruction}` divides by zero, and CCR.DIV_0_TRP makes that a fault",
        "check the divisor before the division in that line",
    ),
    FaultKind.READ: Meaning(Code.FAULT_READ, "it reads {size} B at {address}, where the board has no memory", _POINTER),
    FaultKind.WRITE: Meaning(
        Code.FAULT_WRITE, "it writes {size} B at {address}, where the board has no memory", _POINTER
    ),
    FaultKind.FLASH_WRITE: Meaning(
        Code.FAULT_FLASH_WRITE,
        "it writes{sized} at {address}, which is flash",
        "a pointer to a constant, or a null pointer, is written through; flash is written by its controller only",
    ),
    FaultKind.JUMP: Meaning(
        Code.FAULT_JUMP,
        "it jumps to {address}, where no code can be",
        "a function pointer is wrong, or a return address on the stack was overwritten: look for an array written beyond its end",
    ),
    FaultKind.NOT_THUMB: Meaning(
        Code.FAULT_NOT_THUMB,
        "it jumps to {address} without bit 0 set, which would leave Thumb state",
        "a function pointer holds a plain address: take it from the function's name, or set bit 0 (| 1)",
    ),
    FaultKind.NO_COPROCESSOR: Meaning(
        Code.FAULT_NO_COPROCESSOR,
        "`{instruction}` uses a coprocessor that the core does not have, or that is off",
        "compile for this core; for its FPU, enable it in CPACR (0xE000ED88) first",
    ),
    FaultKind.STACK_LIMIT: Meaning(
        Code.RUN_STACK_OVERFLOW,
        "the stack pointer goes below the limit that the program has set for it (MSPLIM, PSPLIM)",
        "give that stack more room, or look for large locals and deep calls",
    ),
    FaultKind.BREAKPOINT: Meaning(
        Code.FAULT_BREAKPOINT,
        "it runs into a breakpoint, `{instruction}`, without a debugger",
        "take it out, or look at the check before it that failed",
    ),
    FaultKind.SUPERVISOR_CALL: Meaning(
        Code.FAULT_SUPERVISOR_CALL,
        "it calls the supervisor (`{instruction}`) where no handler may run: masked, or in a handler of as high a priority",
        "call it from thread code with interrupts enabled, or give SVC a higher priority than the handler that calls it",
    ),
    FaultKind.EXCEPTION_RETURN: Meaning(
        Code.FAULT_EXCEPTION_RETURN,
        "it returns from an exception, to {address}, but none was taken",
        "an EXC_RETURN value came into the link register or onto the stack: look at hand-written handlers and context switches",
    ),
    FaultKind.RETURN_FROM_RESET: Meaning(
        Code.FAULT_RETURN_FROM_RESET,
        "it returns from its first function, with the value in the link register that it has after reset",
        "end the reset handler in a loop, and do not return from a main that has no caller",
    ),
    FaultKind.RESET_REQUEST: Meaning(
        Code.FAULT_RESET,
        "it asks for a system reset (AIRCR.SYSRESETREQ)",
        "look at what decided that: a failed check, a fault handler that resets, or a boot loader",
    ),
    FaultKind.NO_VECTORS: Meaning(
        Code.FAULT_NO_VECTORS,
        "there is no vector table at {address}",
        "place the table there in the linker script, and keep the linker from dropping it: KEEP(*(.isr_vector))",
    ),
    FaultKind.NO_HANDLER: Meaning(
        Code.FAULT_NO_HANDLER,
        "{detail}",
        "put a handler into the vector table for it, or keep it disabled",
    ),
    FaultKind.STACKING: Meaning(
        Code.FAULT_STACKING,
        "{detail}",
        "the stack pointer was wrong when the exception came: look at what sets it, and at how deep the stack was",
    ),
    FaultKind.UNSTACKING: Meaning(
        Code.FAULT_UNSTACKING,
        "{detail}",
        "the stack pointer was changed in the handler: look at context switches, PSP and EXC_RETURN",
    ),
    FaultKind.OTHER: Meaning(Code.FAULT_OTHER, "{detail}", "look at the function named, and at the last calls"),
}
