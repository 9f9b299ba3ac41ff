"""Measured calls on the stacks of tasks: taken off them by a jump, under way in several tasks at once, not over at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import calls, codes, run
from user_firmware import START, build

pytestmark = pytest.mark.gnu

# A kernel of our own: as many tasks as there are stacks, and PendSV that goes from one to the next.
KERNEL = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#define WORDS 256
static uint32_t first_stack[WORDS] __attribute__((aligned(8))), second_stack[WORDS] __attribute__((aligned(8)));
static uint32_t *saved[2], current; volatile uint32_t finished;
uint32_t *next_stack(uint32_t *stack) { saved[current] = stack; current ^= 1; return saved[current]; }
__attribute__((naked)) void PendSV_Handler(void) {
    __asm__ volatile("mrs r0, psp\\n\\tstmdb r0!, {r4-r11, lr}\\n\\tpush {r3, lr}\\n\\tbl next_stack\\n\\tpop {r3, lr}\\n\\t"
                     "ldmia r0!, {r4-r11, lr}\\n\\tmsr psp, r0\\n\\tbx lr");
}
__attribute__((naked)) void SVC_Handler(void) {
    __asm__ volatile("ldr r0, =saved\\n\\tldr r0, [r0]\\n\\tldmia r0!, {r4-r11, lr}\\n\\tmsr psp, r0\\n\\tbx lr");
}
static void yield(void) { REG(0xE000ED04) = 1u << 28; __asm__ volatile("dsb\\n\\tisb" ::: "memory"); }
static uint32_t *prepare(uint32_t *stack, void (*entry)(void)) {
    uint32_t *frame = stack + WORDS - 8 - 9;
    frame[17 - 2] = (uint32_t)entry & ~1u;
    frame[17 - 1] = 1u << 24;
    frame[8] = 0xFFFFFFFD;
    return frame;
}
void first(void); void second(void);
static void start(void) {
    REG(0xE000ED20) = 0xFFu << 16;
    saved[0] = prepare(first_stack, first);
    saved[1] = prepare(second_stack, second);
    __asm__ volatile("svc #0");
}
static void __attribute__((noreturn)) finish(void) { for (;;) { if (++finished == 2) { stop(); } yield(); } }
"""
HEAD = '__attribute__((noinline)) void stop(void) { __asm__ volatile(""); }\n'
MAIN = "int main(void) { start(); for (;;) { } }\n"


def firmware(folder: Path, code: str, language: str = "c", **options: object) -> Path:
    names = ("SVC_Handler", "PendSV_Handler")
    weak = "".join(f'void {name}(void) __attribute__((weak, alias("Default_Handler")));\n' for name in names)
    table = START.replace(
        "    _estack, (void *)Reset",
        "    [11] = (void *)SVC_Handler, [14] = (void *)PendSV_Handler,\n    [0] = _estack, (void *)Reset",
    )
    assert table != START
    start = table.replace("void Reset_Handler", weak + "void Reset_Handler", 1)
    kernel = HEAD + KERNEL
    return build(folder, kernel + code + MAIN, start=start, language=language, **options)  # type: ignore[arg-type]


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


def test_a_call_that_a_longjmp_takes_off_a_tasks_stack_is_in_no_figure(tmp_path: Path) -> None:
    result = run(firmware(tmp_path, JUMPS), begin="work", stop="stop")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.left-windows"])
    assert result.findings[0].message.startswith(
        "3 of 10 measured calls did not return: the next one began on the same"
    )
    counted = calls(result)
    assert counted == {"work": 1, "parse": 1}, "what runs behind the jump is no part of any call"
    value = result.value("instructions")
    assert value is not None and 15 <= value <= 25
    assert result.value("instructions_max") == value, "each call that returned takes the same"


def test_a_jump_behind_the_last_call_leaves_it_open(tmp_path: Path) -> None:
    result = run(firmware(tmp_path, JUMPS.replace("i < 10", "i < 9")), begin="work", stop="stop")
    assert codes(result) == ["firmware.left-windows", "firmware.open-windows"]
    assert result.findings[1].message == "1 measured call had not returned when the run ended, and is in no figure"
    assert calls(result) == {"work": 1, "parse": 1}


def test_calls_that_are_all_left_are_said_to_have_no_end(tmp_path: Path) -> None:
    result = run(firmware(tmp_path, JUMPS.replace("i % 3 == 2", "i >= 0")), begin="work", stop="stop")
    assert result.verdict == "fail"
    assert "did not come to its end" in result.findings[0].message


TURNS = """
volatile int sums[2];
__attribute__((noinline)) int work(int me, int n) { int s = 0; for (int i = 0; i < n; i++) { s += i; YIELD } return s; }
void first(void) { for (int i = 0; i < 4; i++) sums[0] += work(0, 5); finish(); }
void second(void) { for (int i = 0; i < 4; i++) sums[1] += work(1, 5); finish(); }
"""


def test_calls_of_two_tasks_that_take_turns_are_kept_apart(tmp_path: Path) -> None:
    alone = run(firmware(tmp_path, TURNS.replace("YIELD", "")), begin="work", stop="stop")
    assert (alone.verdict, codes(alone), calls(alone)) == ("pass", [], {"work": 1})
    result = run(firmware(tmp_path, TURNS.replace("YIELD", "yield();"), name="turns"), begin="work", stop="stop")
    assert (result.verdict, codes(result)) == ("pass", ["firmware.overlapping-windows"])
    assert result.findings[0].message.startswith("7 of 8 measured calls began while that of another task was under way")
    one, both = alone.value("instructions"), result.value("instructions")
    assert one is not None and both is not None
    # Five turns of both tasks and the switches between them; the last call has some of these to itself.
    assert calls(result)["PendSV_Handler"] == pytest.approx(10, abs=1)
    assert result.value("instructions_max") == pytest.approx(both, rel=0.15)
    assert sum(function.self_instructions for function in result.functions) == pytest.approx(both)
    assert both > 2 * one


def test_recursion_and_tail_calls_on_a_tasks_stack_are_one_call(tmp_path: Path) -> None:
    code = """
volatile int total;
int work(int n);
__attribute__((noinline)) int other(int n) { total += n; return work(n - 1); }
__attribute__((noinline)) int deeper(int n) { return work(n - 3) + 1; }
__attribute__((noinline)) int work(int n) { if (n <= 0) return total; if (n & 1) return other(n); return deeper(n) + 1; }
void first(void) { for (int i = 0; i < 5; i++) { total += work(9); total += work(8); } finish(); }
void second(void) { finish(); }
"""
    image = firmware(tmp_path, code, flags=["-foptimize-sibling-calls"])
    result = run(image, begin="work", stop="stop")
    assert result.verdict == "pass" and not {"firmware.left-windows", "firmware.open-windows"} & set(codes(result))
    spread = result.spreads["instructions"]
    assert spread.minimum < spread.maximum
    assert result.value("instructions") == (spread.minimum + spread.maximum) / 2, "five calls of either kind, whole"
