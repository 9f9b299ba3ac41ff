"""Functions in which programs end when something has gone wrong, by name, and what a call of each says. A new one is a row here."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from mcu_harness.results.finding_codes import Code


@dataclass(frozen=True, slots=True)
class FailureFunction:
    """What it means when a function whose name matches one of `names` was called (or runs)."""

    names: tuple[str, ...]
    code: Code
    said: str
    advice: str


# newlib, libgcc, libstdc++ and the C++ ABI, armclang's library, and hooks of CMSIS, ST's HAL, FreeRTOS and Zephyr, by
# the names in their headers and manuals. The first that matches counts, for the outermost call that has one.
FAILURE_FUNCTIONS = (
    FailureFunction(
        ("__assert_func", "__assert", "__aeabi_assert", "__assert_fail", "__assert_no_args"),
        Code.FAULT_ASSERT,
        "an assertion failed",
        "look at why the condition did not hold there",
    ),
    FailureFunction(
        ("assert_failed", "vAssertCalled", "assert_post_action", "assert_fault_callback"),
        Code.FAULT_ASSERT,
        "a check of a library failed",
        "look at the arguments of the call that led there",
    ),
    FailureFunction(
        ("__stack_chk_fail", "__stack_chk_fail_local"),
        Code.FAULT_STACK_SMASHED,
        "the stack protector found that a function had overwritten its own frame",
        "look for an array in that function that is written beyond its end",
    ),
    FailureFunction(
        ("__chk_fail", "__fortify_fail", "__memcpy_chk", "__strcpy_chk"),
        Code.FAULT_BUFFER_OVERFLOW,
        "a checked library function found that its destination is too small",
        "compare the sizes in that call",
    ),
    FailureFunction(
        ("__cxa_pure_virtual", "__cxa_deleted_virtual"),
        Code.FAULT_PURE_VIRTUAL,
        "a pure virtual function was called",
        "an object is used in its constructor or destructor, or after its end",
    ),
    FailureFunction(
        ("_ZSt*__throw_*", "__cxa_throw", "__cxa_rethrow", "__cxa_bad_cast", "__cxa_bad_typeid"),
        Code.FAULT_EXCEPTION_THROWN,
        "a C++ exception was thrown that nothing catches",
        "look at what throws: an index out of range, no memory left (operator new), a bad cast",
    ),
    FailureFunction(
        ("_ZSt9terminatev", "_ZN10__cxxabiv111__terminate*", "__cxa_call_unexpected", "_ZSt10unexpectedv"),
        Code.FAULT_TERMINATE,
        "the C++ runtime ended the program (std::terminate)",
        "an exception left a noexcept function or was not caught",
    ),
    FailureFunction(
        ("__aeabi_idiv0", "__aeabi_ldiv0"),
        Code.FAULT_DIVIDE_BY_ZERO,
        "a division by zero in a library routine",
        "check the divisor before the division",
    ),
    FailureFunction(
        ("vApplicationStackOverflowHook",),
        Code.RUN_STACK_OVERFLOW,
        "FreeRTOS found that a task has used up its stack",
        "give that task more stack (usStackDepth), or look for large locals and deep calls",
    ),
    FailureFunction(
        ("vApplicationMallocFailedHook",),
        Code.FAULT_OUT_OF_MEMORY,
        "FreeRTOS had no memory left for an allocation",
        "raise configTOTAL_HEAP_SIZE, or allocate less",
    ),
    FailureFunction(
        ("k_sys_fatal_error_handler", "z_fatal_error", "z_arm_fatal_error"),
        Code.FAULT_FATAL_ERROR,
        "Zephyr met a fatal error",
        "look at the calls before it, and at the console",
    ),
    FailureFunction(
        ("Error_Handler", "_Error_Handler", "app_error_handler*", "app_error_fault_handler"),
        Code.FAULT_ERROR_HANDLER,
        "the program called its error handler",
        "look at the call before it that did not succeed; devices behave differently in an emulator",
    ),
    FailureFunction(
        ("abort", "_ZN6tflite9AbortImplEv"),
        Code.FAULT_ABORT,
        "the program called abort()",
        "look at the function that called it",
    ),
)


def failure_function(name: str) -> FailureFunction | None:
    """What a call of the function called `name` means, None for any other function."""
    return next((e for e in FAILURE_FUNCTIONS if any(fnmatchcase(name, pattern) for pattern in e.names)), None)
