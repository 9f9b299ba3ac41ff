"""Measured calls on the stacks of tasks: taken off them by a jump, in several tasks at once, not over at the end.

Both emulators say the same of each, in figures and words, but where tasks take turns inside of calls.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from task_firmware import firmware

from firmware_runs import calls, codes, run, run_alike
from mcu_harness.app.session import Session

pytestmark = pytest.mark.gnu

JUMPS = """
#include <setjmp.h>
static jmp_buf place; volatile int sum, errors;
__attribute__((noinline)) int parse(int i) { if (i % 3 == 2) longjmp(place, 1); return i * i; }
__attribute__((noinline)) int work(int i) { volatile int a[8]; a[0] = parse(i); return a[0] + 1; }
__attribute__((noinline)) void after(void) { for (volatile int i = 0; i < 50; i++) { } }
void first(void) {
    for (volatile int i = 0; i < 10; i++) { if (setjmp(place) == 0) sum += work(i); else errors++; after(); }
    finish();
}
void second(void) { finish(); }
"""


def test_a_call_that_a_longjmp_takes_off_a_tasks_stack_ends_there(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    result = run_alike(firmware(tmp_path, JUMPS), emulator_name, session, begin="work", stop="stop")
    assert (result.verdict, codes(result)[0]) == ("pass", "firmware.left-windows")
    assert result.findings[0].message.startswith(
        "3 of 10 measured calls did not return: a jump took them off the stack"
    )
    counted = calls(result)
    assert counted == {"work": 1, "parse": 1, "longjmp": 0.3}, "what runs behind the jump is no part of any call"
    spread = result.spreads["instructions"]
    assert 15 <= spread.minimum < spread.maximum <= 60


def test_calls_that_are_all_left_are_measured(tmp_path: Path, emulator_name: str, session: Session) -> None:
    """Also by the last jump, behind which the function is not called again."""
    image = firmware(tmp_path, JUMPS.replace("i % 3 == 2", "i >= 0"))
    result = run_alike(image, emulator_name, session, begin="work", stop="stop")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.left-windows"])
    assert result.findings[0].message.startswith("10 of 10 measured calls did not return")
    assert result.spreads["instructions"].minimum == result.value("instructions_max"), "each takes the same"


DEEPER = JUMPS.replace(
    "void first",
    "__attribute__((noinline)) int deeper(int i) { volatile int a[16]; a[3] = work(i); return a[3]; }\nvoid first",
).replace("sum += work(i)", "sum += i % 3 ? work(i) : deeper(i)")


def test_calls_from_deeper_on_the_stack_after_a_jump_are_calls_of_their_own(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    result = run_alike(firmware(tmp_path, DEEPER), emulator_name, session, begin="work", stop="stop")
    assert (result.verdict, codes(result)[0]) == ("pass", "firmware.left-windows")
    assert result.findings[0].message.startswith("3 of 10 measured calls did not return")
    assert calls(result) == {"work": 1, "parse": 1, "longjmp": 0.3}


def test_where_no_symbol_names_the_caller_a_call_that_is_left_is_dropped_or_said_to_go_on(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    """`first` has lost its symbol, and jumps to where the stack pointer is as at the beginning of the call."""
    image = without_symbol(firmware(tmp_path, JUMPS), "first")
    result = run_alike(image, emulator_name, session, begin="work", stop="stop")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.left-windows"])
    assert result.findings[0].message.startswith(
        "3 of 10 measured calls did not return: the next one began on the same"
    )
    assert calls(result) == {"work": 1, "parse": 1}
    image = without_symbol(firmware(tmp_path, DEEPER, name="deeper"), "first")
    result = run_alike(image, emulator_name, session, begin="work", stop="stop")
    assert codes(result)[0] == "firmware.reentered-windows"
    assert result.findings[0].message.startswith("the function was called 3 more times in 3 of 7 windows, deeper on")


def without_symbol(image: Path, name: str) -> Path:
    """The image as it is, but that nothing names the function."""
    subprocess.run(["arm-none-eabi-objcopy", f"--strip-symbol={name}", image], check=True)
    return image


TURNS = """
volatile int sums[2];
__attribute__((noinline)) int work(int me, int n) { int s = 0; for (int i = 0; i < n; i++) { s += i; YIELD } return s; }
void first(void) { for (int i = 0; i < 4; i++) sums[0] += work(0, 5); finish(); }
void second(void) { for (int i = 0; i < 4; i++) sums[1] += work(1, 5); finish(); }
"""


def test_calls_of_two_tasks_that_take_turns_are_kept_apart(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    alone = run_alike(firmware(tmp_path, TURNS.replace("YIELD", "")), emulator_name, session, begin="work", stop="stop")
    assert (alone.verdict, codes(alone), calls(alone)) == ("pass", [], {"work": 1})
    image = firmware(tmp_path, TURNS.replace("YIELD", "yield();"), name="turns")
    # Not quite alike: the emulators take the exception that switches tasks an instruction or two apart.
    result = run(image, emulator=emulator_name, session=session, begin="work", stop="stop")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.overlapping-windows"])
    assert result.findings[0].message.startswith("7 of 8 measured calls began while that of another task was under way")
    one, both = alone.value("instructions"), result.value("instructions")
    assert one is not None and both is not None
    # Five turns of both tasks and the switches between them; the last call has some of these to itself.
    assert calls(result)["PendSV_Handler"] == pytest.approx(10, abs=1)
    assert result.value("instructions_max") == pytest.approx(both, rel=0.15)
    assert sum(function.self_instructions for function in result.functions) == pytest.approx(both)
    assert both > 2 * one


def test_recursion_and_tail_calls_on_a_tasks_stack_are_one_call(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    code = """
volatile int total;
int work(int n);
__attribute__((noinline)) int other(int n) { total += n; return work(n - 1); }
__attribute__((noinline)) int deeper(int n) { return work(n - 3) + 1; }
__attribute__((noinline)) int work(int n) { if (n <= 0) return total; if (n & 1) return other(n); return deeper(n) + 1; }
void first(void) { for (int i = 0; i < 5; i++) { total += work(9); total += work(8); } finish(); }
void second(void) { finish(); }
"""
    result = run_alike(firmware(tmp_path, code), emulator_name, session, begin="work", stop="stop")
    assert result.verdict == "pass" and not {"firmware.left-windows", "firmware.open-windows"} & set(codes(result))
    spread = result.spreads["instructions"]
    assert spread.minimum < spread.maximum
    assert result.value("instructions") == (spread.minimum + spread.maximum) / 2, "five calls of either kind, whole"


EXCEPTIONS = """
#include <setjmp.h>
#include <unwind.h>
typedef struct { jmp_buf place; uint32_t stack; } catcher;
static catcher outer, inner, *nearest; volatile int sum, caught[2], frames;
static struct _Unwind_Exception object;
static _Unwind_Reason_Code pass(int version, _Unwind_Action what, _Unwind_Exception_Class kind, struct _Unwind_Exception *thrown,
                                struct _Unwind_Context *frame, void *to) {
    (void)version, (void)kind, (void)thrown;
    catcher *here = to;
    frames++;
    if (!(what & _UA_END_OF_STACK) && _Unwind_GetGR(frame, 13) > here->stack) longjmp(here->place, 1);
    return _URC_NO_REASON;
}
#define TRY(c) (nearest = &c, c.stack = (uint32_t)__builtin_frame_address(0), setjmp(c.place) == 0)
__attribute__((noinline)) int parse(int i) { if (i % 3) _Unwind_ForcedUnwind(&object, pass, nearest); return i * i; }
__attribute__((noinline)) int guarded(int i) { if (TRY(inner)) return parse(i); caught[0]++; return 1; }
__attribute__((noinline)) int work(int i) { volatile int a[8]; a[0] = i % 3 == 1 ? guarded(i) : parse(i); return a[0] + 1; }
__attribute__((noinline)) void after(void) { for (volatile int i = 0; i < 50; i++) { } }
__attribute__((noinline)) void one(int i) { if (TRY(outer)) sum += work(i); else caught[1]++; after(); }
__attribute__((noinline)) void wrong(void) { for (;;) { } }
void first(void) {
    for (volatile int i = 0; i < 10; i++) one(i);
    if (caught[0] != 3 || caught[1] != 3 || sum != 0 + 9 + 36 + 81 + 4 + 3 * 2 || frames < 6 * 2) wrong();
    finish();
}
void second(void) { finish(); }
"""


def test_an_exception_thrown_on_a_tasks_stack_ends_only_the_calls_that_it_passes(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    """By the compiler's own unwinder and tables, as a C++ exception: three are caught inside of the call, three behind it."""
    image = firmware(tmp_path, EXCEPTIONS, flags=("-funwind-tables", "-DWORDS=2048"))
    result = run_alike(image, emulator_name, session, begin="work", stop="stop")
    assert (result.verdict, codes(result)[0]) == ("pass", "firmware.left-windows")
    assert result.findings[0].message.startswith("3 of 10 measured calls did not return")
    counted = calls(result)
    assert (counted["work"], counted["parse"]) == (1, 1) and not {"after", "one"} & set(counted)
    assert counted["guarded"] == 0.3
    spread = result.spreads["instructions"]
    assert spread.minimum < 30 and spread.maximum > 10 * spread.minimum, (
        "the search for the handler is in those that it was in"
    )


POINTERS = """
#include <setjmp.h>
static jmp_buf place; volatile int sum, errors;
__attribute__((noinline)) int parse(int i) { if (i % 3 == 2) longjmp(place, 1); return i * i; }
__attribute__((noinline)) int work(int i) { volatile int a[8]; a[0] = parse(i); return a[0] + 1; }
__attribute__((noinline)) int other(int i) { for (volatile int n = 0; n < 200; n++) { } return i; }
int (*volatile doing)(int);
void first(void) {
    for (volatile int i = 0; i < 10; i++) {
        doing = work;
        if (setjmp(place)) doing = other;
        sum += doing(i);
    }
    finish();
}
void second(void) { finish(); }
"""


def test_another_functions_return_to_the_same_place_ends_no_call(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    """After each jump, the same instruction calls another function, which returns to where the call should have."""
    result = run_alike(firmware(tmp_path, POINTERS), emulator_name, session, begin="work", stop="stop")
    assert (result.verdict, codes(result)[0]) == ("pass", "firmware.left-windows")
    assert result.findings[0].message.startswith(
        "3 of 10 measured calls did not return: a jump took them off the stack"
    )
    assert calls(result) == {"work": 1, "parse": 1, "longjmp": 0.3}


def test_nor_does_it_where_no_symbol_names_the_caller_and_another_tasks_call_is_under_way(
    tmp_path: Path, emulator_name: str, session: Session
) -> None:
    """The second task is in its call all the time in which the first makes its own."""
    code = POINTERS.replace("int work(int i) {", "int work(int i) { if (i == 99) { while (!over) yield(); return 0; }")
    code = code.replace("finish();", "over = 1; yield(); finish();", 1).replace(
        "{ finish(); }", "{ sum += work(99); finish(); }"
    )
    code = code.replace("void first(void) {", "void first(void) { yield();").replace("int sum,", "int over, sum,")
    image = firmware(tmp_path, code)
    result = run_alike(image, emulator_name, session, begin="work", stop="stop")
    assert result.verdict == "pass"
    assert result.findings[0].message.startswith(
        "3 of 11 measured calls did not return: a jump took them off the stack"
    )
    assert result.findings[1].message.startswith("10 of 11 measured calls began while that of another task")
    result = run_alike(without_symbol(image, "first"), emulator_name, session, begin="work", stop="stop")
    assert result.findings[0].message.startswith("3 of 11 measured calls did not return: the next one began")
    assert result.spreads["instructions"].minimum < 30 and calls(result)["other"] == pytest.approx(3 / 8), (
        "only the second task's call, which was under way, has what ran behind the jumps in it"
    )


MAIN_STACK = """
volatile int sum, depth;
__attribute__((noinline)) int work(int i) { if (i == 99) { depth = 1; BEGIN } return i * i + 1; }
void first(void) { for (int i = 0; i < 4; i++) { sum += work(i); yield(); } finish(); }
void second(void) { for (int i = 0; i < 4; i++) { sum += work(i); yield(); } finish(); }
"""


@pytest.mark.parametrize("anew", [False, True], ids=["goes on", "begins anew"])
def test_a_call_on_the_main_stack_that_starts_the_tasks(
    tmp_path: Path, emulator_name: str, session: Session, anew: bool
) -> None:
    """It is under way for ever, or, where the main stack begins anew for the handlers, off its stack."""
    begin = (
        '__asm__ volatile("ldr r0, =_estack\\n\\tmsr msp, r0\\n\\tb 1f\\n1:\\tsvc #0" ::: "r0");' if anew else "svc();"
    )
    code = MAIN_STACK.replace("BEGIN", begin)
    svc = '__attribute__((noinline)) static void svc(void) { __asm__ volatile("svc #0"); }'
    image = firmware(tmp_path, svc + code, kernel_start="int work(int); work(99);", name="anew" if anew else "on")
    result = run_alike(image, emulator_name, session, begin="work", stop="stop")
    assert result.verdict == "pass"
    said = [finding.message for finding in result.findings]
    if anew:
        assert said[0].startswith("1 of 9 measured calls did not return: a jump took them off the stack")
        assert "firmware.overlapping-windows" not in codes(result)
    else:
        assert said[0] == "1 measured call had not returned when the run ended, and is in no figure"
        assert said[1].startswith("8 of 9 measured calls began while that of another task was under way")
        assert calls(result) == {"work": 1}
