"""Functions in which programs end when something has gone wrong, by name, and exception handlers by the vector table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mcu_harness.base.text import one_line
from mcu_harness.image.program import Program
from mcu_harness.results.finding_codes import Code


@dataclass(frozen=True, slots=True)
class Ending:
    """What it means when a function whose name matches one of `names` was called (or runs)."""

    names: tuple[str, ...]
    code: Code
    said: str
    advice: str


# newlib, libgcc, libstdc++ and the C++ ABI, armclang's library, and hooks of CMSIS, ST's HAL, FreeRTOS and Zephyr, by
# the names in their headers and manuals. The first that matches counts, for the outermost call that has one.
ENDINGS = (
    Ending(
        ("__assert_func", "__assert", "__aeabi_assert", "__assert_fail", "__assert_no_args"),
        Code.FAULT_ASSERT,
        "an assertion failed",
        "look at why the condition did not hold there",
    ),
    Ending(
        ("assert_failed", "vAssertCalled", "assert_post_action", "assert_fault_callback"),
        Code.FAULT_ASSERT,
        "a check of a library failed",
        "look at the arguments of the call that led there",
    ),
    Ending(
        ("__stack_chk_fail", "__stack_chk_fail_local"),
        Code.FAULT_STACK_SMASHED,
        "the stack protector found that a function had overwritten its own frame",
        "look for an array in that function that is written beyond its end",
    ),
    Ending(
        ("__chk_fail", "__fortify_fail", "__memcpy_chk", "__strcpy_chk"),
        Code.FAULT_BUFFER_OVERFLOW,
        "a checked library function found that its destination is too small",
        "compare the sizes in that call",
    ),
    Ending(
        ("__cxa_pure_virtual", "__cxa_deleted_virtual"),
        Code.FAULT_PURE_VIRTUAL,
        "a pure virtual function was called",
        "an object is used in its constructor or destructor, or after its end",
    ),
    Ending(
        ("_ZSt*__throw_*", "__cxa_throw", "__cxa_rethrow", "__cxa_bad_cast", "__cxa_bad_typeid"),
        Code.FAULT_EXCEPTION_THROWN,
        "a C++ exception was thrown that nothing catches",
        "look at what throws: an index out of range, no memory left (operator new), a bad cast",
    ),
    Ending(
        ("_ZSt9terminatev", "_ZN10__cxxabiv111__terminate*", "__cxa_call_unexpected", "_ZSt10unexpectedv"),
        Code.FAULT_TERMINATE,
        "the C++ runtime ended the program (std::terminate)",
        "an exception left a noexcept function or was not caught",
    ),
    Ending(
        ("__aeabi_idiv0", "__aeabi_ldiv0"),
        Code.FAULT_DIVIDE_BY_ZERO,
        "a division by zero in a library routine",
        "check the divisor before the division",
    ),
    Ending(
        ("vApplicationStackOverflowHook",),
        Code.RUN_STACK_OVERFLOW,
        "FreeRTOS found that a task has used up its stack",
        "give that task more stack (usStackDepth), or look for large locals and deep calls",
    ),
    Ending(
        ("vApplicationMallocFailedHook",),
        Code.FAULT_OUT_OF_MEMORY,
        "FreeRTOS had no memory left for an allocation",
        "raise configTOTAL_HEAP_SIZE, or allocate less",
    ),
    Ending(
        ("k_sys_fatal_error_handler", "z_fatal_error", "z_arm_fatal_error"),
        Code.FAULT_FATAL_ERROR,
        "Zephyr met a fatal error",
        "look at the calls before it, and at the console",
    ),
    Ending(
        ("Error_Handler", "_Error_Handler", "app_error_handler*", "app_error_fault_handler"),
        Code.FAULT_ERROR_HANDLER,
        "the program called its error handler",
        "look at the call before it that did not succeed; devices behave differently in an emulator",
    ),
    Ending(
        ("abort", "_ZN6tflite9AbortImplEv"),
        Code.FAULT_ABORT,
        "the program called abort()",
        "look at the function that called it",
    ),
)

# Exceptions of M-profile cores by number (Armv7-M ARM, DDI 0403, B1.5.2; SecureFault: DDI 0553).
_EXCEPTIONS = {
    2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault", 7: "SecureFault",
    11: "SVCall", 12: "DebugMonitor", 14: "PendSV", 15: "SysTick",
}  # fmt: skip
FAULTS = range(3, 8)
_FIRST_INTERRUPT = 16
_MOST_VECTORS = 16 + 480


def ending_of(name: str) -> Ending | None:
    """What a call of the function called `name` means, None for any other function."""
    return next((e for e in ENDINGS if any(fnmatchcase(name, pattern) for pattern in e.names)), None)


def exception_name(number: int) -> str:
    """ "HardFault", "interrupt 37": what the exception with that number is called."""
    return _EXCEPTIONS.get(number, f"interrupt {number - _FIRST_INTERRUPT}")


def vectors_of(program: Program, table: int | None, function: tuple[int, int]) -> list[int]:
    """Numbers of the exceptions whose vectors lead into [start, end), by the table at `table`."""
    data = b"" if table is None else program.loaded_bytes(table, 4 * _MOST_VECTORS)
    found = []
    for number in range(2, len(data) // 4):
        vector = int.from_bytes(data[4 * number : 4 * number + 4], "little")
        if not vector:
            continue
        if not vector & 1 or not any(start <= vector < end for start, end in program.code_ranges):
            break  # the table has no length: it ends where a word can be no handler
        if function[0] <= vector & ~1 < function[1]:
            found.append(number)
    return found


def vectors_text(numbers: Sequence[int]) -> str:
    """Names of exceptions, interrupts only counted where they are many."""
    system = [exception_name(number) for number in numbers if number < _FIRST_INTERRUPT]
    interrupts = [number - _FIRST_INTERRUPT for number in numbers if number >= _FIRST_INTERRUPT]
    if len(interrupts) > 4:
        system.append(f"{len(interrupts)} interrupts")
    else:
        system += [f"interrupt {number}" for number in interrupts]
    return one_line(", ".join(system))
