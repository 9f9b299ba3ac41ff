"""Codes of findings: stable names that people grep and silence by, each in a category that says what it is about.

Code decides by category or by code, never by the text of either. Findings about one figure have codes that are made from
its key (`budget_code`, `baseline_code`).
"""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """What a finding is about: the part of its code before the dot."""

    SETUP = "setup"  # the case could not be set up
    EMULATOR = "emulator"  # something to know of the choice of an emulator
    FIT = "fit"  # the image does not fit the memories
    RUN = "run"  # the run did not end well
    FAULT = "fault"  # the firmware faulted
    LAW = "law"  # the firmware does what the core forbids
    FIRMWARE = "firmware"  # something to know of firmware that was not generated here
    MEMORY = "memory"  # what it did with memory
    MEASURE = "measure"  # what was measured, and was not there to be
    OUTPUT = "output"  # the outputs are not those of the oracle
    BUDGET = "budget"  # a budget is broken, or its figure missing
    BASELINE = "baseline"  # against the baseline
    COMPARE = "compare"  # two sets of results
    TEST = "test"  # the test that measured it
    OTHER = "other"  # of a results file that another version wrote


class Code(StrEnum):
    """Every code that does not belong to a figure."""

    SETUP_ERROR = "setup.error"
    EMULATOR_PASSED_OVER = "emulator.passed-over"
    FIT_FLASH = "fit.flash"
    FIT_OUTSIDE = "fit.outside"
    FIT_RAM = "fit.ram"
    RUN_ENDLESS_LOOP = "run.endless-loop"
    RUN_INSTRUCTION_LIMIT = "run.instruction-limit"
    RUN_STACK_OVERFLOW = "run.stack-overflow"
    RUN_STATUS = "run.status"
    RUN_STOPPED_EARLY = "run.stopped-early"
    RUN_TIMEOUT = "run.timeout"
    RUN_WAITING = "run.waiting"
    FAULT_ABORT = "fault.abort"
    FAULT_ASSERT = "fault.assert"
    FAULT_BREAKPOINT = "fault.breakpoint"
    FAULT_BUFFER_OVERFLOW = "fault.buffer-overflow"
    FAULT_DIVIDE_BY_ZERO = "fault.divide-by-zero"
    FAULT_ERROR_HANDLER = "fault.error-handler"
    FAULT_EXCEPTION_RETURN = "fault.exception-return"
    FAULT_EXCEPTION_THROWN = "fault.exception-thrown"
    FAULT_FATAL_ERROR = "fault.fatal-error"
    FAULT_FLASH_WRITE = "fault.flash-write"
    FAULT_HANDLER = "fault.handler"
    FAULT_JUMP = "fault.jump"
    FAULT_NO_COPROCESSOR = "fault.no-coprocessor"
    FAULT_NO_HANDLER = "fault.no-handler"
    FAULT_NO_VECTORS = "fault.no-vectors"
    FAULT_NOT_THUMB = "fault.not-thumb"
    FAULT_OTHER = "fault.other"
    FAULT_OUT_OF_MEMORY = "fault.out-of-memory"
    FAULT_PURE_VIRTUAL = "fault.pure-virtual"
    FAULT_READ = "fault.read"
    FAULT_RESET = "fault.reset"
    FAULT_RETURN_FROM_RESET = "fault.return-from-reset"
    FAULT_STACK_SMASHED = "fault.stack-smashed"
    FAULT_STACKING = "fault.stacking"
    FAULT_SUPERVISOR_CALL = "fault.supervisor-call"
    FAULT_TERMINATE = "fault.terminate"
    FAULT_UNALIGNED = "fault.unaligned"
    FAULT_UNDEFINED_INSTRUCTION = "fault.undefined-instruction"
    FAULT_UNSTACKING = "fault.unstacking"
    FAULT_WRITE = "fault.write"
    LAW_FETCH = "law.fetch"
    LAW_FPU_OFF = "law.fpu-off"
    LAW_INSTRUCTION = "law.instruction"
    LAW_UNALIGNED = "law.unaligned"
    FIRMWARE_END = "firmware.end"
    FIRMWARE_INSIDE_INSTRUCTION = "firmware.inside-instruction"
    FIRMWARE_LEFT_WINDOWS = "firmware.left-windows"
    FIRMWARE_MADE_UP_REGISTERS = "firmware.made-up-registers"
    FIRMWARE_NO_VECTORS = "firmware.no-vectors"
    FIRMWARE_OPEN_WINDOWS = "firmware.open-windows"
    FIRMWARE_OVERLAPPING_WINDOWS = "firmware.overlapping-windows"
    FIRMWARE_REENTERED_WINDOWS = "firmware.reentered-windows"
    FIRMWARE_OVERLAYS = "firmware.overlays"
    FIRMWARE_WINDOWS_DIFFER = "firmware.windows-differ"
    FIRMWARE_RUNTIME = "firmware.runtime"
    MEASURE_NEVER_CALLED = "measure.never-called"
    MEMORY_NOT_TRACED = "memory.not-traced"
    MEMORY_UNINITIALISED_READ = "memory.uninitialised-read"
    OUTPUT_MISMATCH = "output.mismatch"
    OUTPUT_UNCHECKED = "output.unchecked"
    BASELINE_ACCEPTED = "baseline.accepted"
    BASELINE_MISSING = "baseline.missing"
    BASELINE_NOT_COMPARABLE = "baseline.not-comparable"
    BASELINE_REFUSED = "baseline.refused"
    COMPARE_GONE = "compare.gone"
    COMPARE_NOT_PAIRED = "compare.not-paired"
    TEST_FAILED = "test.failed"


# Findings of these say that the firmware did not do its work: what it wrote to its console may tell why.
STOPPED = frozenset({Category.RUN, Category.FAULT, Category.LAW})


def budget_code(key: str) -> str:
    """The code of a finding about the budget of the figure with this key: "budget.flash"."""
    return f"{Category.BUDGET}.{key}"


def baseline_code(key: str) -> str:
    """The code of a finding about the figure with this key against its baseline: "baseline.cycles"."""
    return f"{Category.BASELINE}.{key}"


def category_of(code: str) -> Category:
    """The category that `code` belongs to."""
    before, _, _ = code.partition(".")
    return Category(before) if before in Category.__members__.values() else Category.OTHER


def key_of(code: str) -> str:
    """The part of `code` after its category: for findings about a figure, the figure's key."""
    return code.partition(".")[2]
