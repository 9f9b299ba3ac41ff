"""Measured calls on the stacks of tasks, in both emulators: taken off them by a jump, in several tasks at once, not over at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from task_firmware import firmware

from firmware_runs import calls, codes, run

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


def test_a_call_that_a_longjmp_takes_off_a_tasks_stack_is_in_no_figure(tmp_path: Path, emulator_name: str) -> None:
    result = run(firmware(tmp_path, JUMPS), begin="work", stop="stop", emulator=emulator_name)
    assert (result.verdict, codes(result)) == ("pass", ["firmware.left-windows"])
    assert result.findings[0].message.startswith(
        "3 of 10 measured calls did not return: the next one began on the same"
    )
    counted = calls(result)
    assert counted == {"work": 1, "parse": 1}, "what runs behind the jump is no part of any call"
    value = result.value("instructions")
    assert value is not None and 15 <= value <= 25
    assert result.value("instructions_max") == value, "each call that returned takes the same"


def test_a_jump_behind_the_last_call_leaves_it_open(tmp_path: Path, emulator_name: str) -> None:
    result = run(
        firmware(tmp_path, JUMPS.replace("i < 10", "i < 9")), begin="work", stop="stop", emulator=emulator_name
    )
    assert codes(result) == ["firmware.left-windows", "firmware.open-windows"]
    assert result.findings[1].message == "1 measured call had not returned when the run ended, and is in no figure"
    assert calls(result) == {"work": 1, "parse": 1}


def test_calls_that_are_all_left_are_said_to_have_no_end(tmp_path: Path, emulator_name: str) -> None:
    result = run(
        firmware(tmp_path, JUMPS.replace("i % 3 == 2", "i >= 0")), begin="work", stop="stop", emulator=emulator_name
    )
    assert result.verdict == "fail"
    assert "did not come to its end" in result.findings[0].message


TURNS = """
volatile int sums[2];
__attribute__((noinline)) int work(int me, int n) { int s = 0; for (int i = 0; i < n; i++) { s += i; YIELD } return s; }
void first(void) { for (int i = 0; i < 4; i++) sums[0] += work(0, 5); finish(); }
void second(void) { for (int i = 0; i < 4; i++) sums[1] += work(1, 5); finish(); }
"""


def test_calls_of_two_tasks_that_take_turns_are_kept_apart(tmp_path: Path, emulator_name: str) -> None:
    alone = run(firmware(tmp_path, TURNS.replace("YIELD", "")), begin="work", stop="stop", emulator=emulator_name)
    assert (alone.verdict, codes(alone), calls(alone)) == ("pass", [], {"work": 1})
    result = run(
        firmware(tmp_path, TURNS.replace("YIELD", "yield();"), name="turns"),
        begin="work",
        stop="stop",
        emulator=emulator_name,
    )
    assert (result.verdict, codes(result)) == ("pass", ["firmware.overlapping-windows"])
    assert result.findings[0].message.startswith("7 of 8 measured calls began while that of another task was under way")
    one, both = alone.value("instructions"), result.value("instructions")
    assert one is not None and both is not None
    # Five turns of both tasks and the switches between them; the last call has some of these to itself.
    assert calls(result)["PendSV_Handler"] == pytest.approx(10, abs=1)
    assert result.value("instructions_max") == pytest.approx(both, rel=0.15)
    assert sum(function.self_instructions for function in result.functions) == pytest.approx(both)
    assert both > 2 * one


def test_recursion_and_tail_calls_on_a_tasks_stack_are_one_call(tmp_path: Path, emulator_name: str) -> None:
    code = """
volatile int total;
int work(int n);
__attribute__((noinline)) int other(int n) { total += n; return work(n - 1); }
__attribute__((noinline)) int deeper(int n) { return work(n - 3) + 1; }
__attribute__((noinline)) int work(int n) { if (n <= 0) return total; if (n & 1) return other(n); return deeper(n) + 1; }
void first(void) { for (int i = 0; i < 5; i++) { total += work(9); total += work(8); } finish(); }
void second(void) { finish(); }
"""
    result = run(firmware(tmp_path, code), begin="work", stop="stop", emulator=emulator_name)
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
    tmp_path: Path, emulator_name: str
) -> None:
    """By the compiler's own unwinder and tables, as a C++ exception: three are caught inside of the call, three behind it."""
    image = firmware(tmp_path, EXCEPTIONS, flags=("-funwind-tables", "-DWORDS=2048"))
    result = run(image, begin="work", stop="stop", emulator=emulator_name)
    assert (result.verdict, codes(result)[0]) == ("pass", "firmware.left-windows")
    assert result.findings[0].message.startswith("3 of 10 measured calls did not return")
    counted = calls(result)
    assert (counted["work"], counted["parse"]) == (1, 1) and not {"after", "one"} & set(counted)
    assert counted["guarded"] == pytest.approx(3 / 7)
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


def test_another_functions_return_to_the_same_place_ends_no_call(tmp_path: Path, emulator_name: str) -> None:
    """After each jump, the same instruction calls another function, which returns to where the call should have."""
    result = run(firmware(tmp_path, POINTERS), begin="work", stop="stop", emulator=emulator_name)
    assert (result.verdict, codes(result)) == ("pass", ["firmware.left-windows"])
    assert result.findings[0].message.startswith("3 of 10 measured calls did not return")
    assert calls(result) == {"work": 1, "parse": 1}
    assert result.value("instructions_max") == result.value("instructions")
