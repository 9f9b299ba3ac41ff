"""Firmware of two tasks on stacks of their own, that yield to each other."""

from __future__ import annotations

from pathlib import Path

from user_firmware import START, build

# A kernel of our own: as many tasks as there are stacks, and PendSV that goes from one to the next.
KERNEL = """
#include <stdint.h>
#define REG(a) (*(volatile uint32_t *)(a))
#ifndef WORDS
#define WORDS 256
#endif
ARRAYS
static uint32_t *saved[2], current; volatile uint32_t finished;
STRUCTURES
uint32_t *next_stack(uint32_t *stack) { saved[current] = stack; current ^= 1; SWITCHED(current); return saved[current]; }
__attribute__((naked)) void PendSV_Handler(void) {
    __asm__ volatile("mrs r0, psp\\n\\tstmdb r0!, {r4-r11, lr}\\n\\tpush {r3, lr}\\n\\tbl next_stack\\n\\tpop {r3, lr}\\n\\t"
                     "ldmia r0!, {r4-r11, lr}\\n\\tmsr psp, r0\\n\\tbx lr");
}
__attribute__((naked)) void SVC_Handler(void) {
    __asm__ volatile("ldr r0, =saved\\n\\tldr r0, [r0]\\n\\tldmia r0!, {r4-r11, lr}\\n\\tmsr psp, r0\\n\\tbx lr");
}
static void yield(void) { CHOSEN(current ^ 1); REG(0xE000ED04) = 1u << 28; __asm__ volatile("dsb\\n\\tisb" ::: "memory"); }
static uint32_t *prepare(uint32_t *stack, void (*entry)(void)) {
    uint32_t *frame = stack + WORDS - 8 - 9;
    frame[17 - 2] = (uint32_t)entry & ~1u;
    frame[17 - 1] = 1u << 24;
    frame[8] = 0xFFFFFFFD;
    return frame;
}
void first(void); void second(void);
static void start(void) {
    BEFORE
    REG(0xE000ED20) = 0xFFu << 16;
    saved[0] = prepare(first_stack, first);
    saved[1] = prepare(second_stack, second);
    GO_ON
}
static void __attribute__((noreturn)) finish(void) { if (++finished == 2) { stop(); } for (;;) { yield(); } }
"""
HEAD = '__attribute__((noinline)) void stop(void) { __asm__ volatile(""); }\n'
MAIN = "int main(void) { start(); for (;;) { } }\n"


TWO_ARRAYS = (
    "static uint32_t first_stack[WORDS] __attribute__((aligned(8))), second_stack[WORDS] __attribute__((aligned(8)));"
)
ONE_ARRAY = "static uint32_t stacks[2][WORDS] __attribute__((aligned(8)));\n#define first_stack stacks[0]\n#define second_stack stacks[1]"


# What kernels keep of their tasks, in our own words but with their names: what is done when a task is chosen and switched to.
STRUCTURES = {
    "": "#define SWITCHED(n)\n#define CHOSEN(n)",
    "FreeRTOS": """
struct tskTaskControlBlock { volatile uint32_t *pxTopOfStack; uint32_t others[12]; char pcTaskName[16]; };
static struct tskTaskControlBlock tcbs[2] = { { .pcTaskName = "sensor" }, { .pcTaskName = "logger" } };
struct tskTaskControlBlock *volatile pxCurrentTCB = tcbs;
#define SWITCHED(n) pxCurrentTCB = &tcbs[n]
#define CHOSEN(n)
#define next_stack vTaskSwitchContext
""",
    "Zephyr": """
struct k_thread { uint32_t base[20]; char name[32]; };
static struct k_thread threads[2] = { { .name = "sensor" }, { .name = "logger" } };
struct z_kernel { uint32_t cpus[6]; struct { struct k_thread *cache; } ready_q; } volatile _kernel = { .ready_q = { threads } };
#define SWITCHED(n)
#define CHOSEN(n) _kernel.ready_q.cache = &threads[n]
void z_arm_pendsv(void) __attribute__((alias("PendSV_Handler")));
""",
    "ThreadX": """
struct TX_THREAD_STRUCT { uint32_t id, run_count; char *tx_thread_name; };
static struct TX_THREAD_STRUCT threads[2] = { { 1, 0, "sensor" }, { 2, 0, "logger" } };
struct TX_THREAD_STRUCT *volatile _tx_thread_execute_ptr = threads;
#define SWITCHED(n)
#define CHOSEN(n) _tx_thread_execute_ptr = &threads[n]
""",
}


def firmware(
    folder: Path,
    code: str,
    before: str = "",
    one_array: bool = False,
    name: str = "firmware",
    rtos: str = "",
    flags: tuple[str, ...] = (),
    kernel_start: str = '__asm__ volatile("svc #0");',
) -> Path:
    """`code` defines the tasks `first` and `second`, which `finish`; `before` is done before they are made.

    `kernel_start` goes on with the first.

    With an `rtos`, the kernel keeps what that has of its tasks, which are called "sensor" and "logger".
    """
    names = ("SVC_Handler", "PendSV_Handler")
    weak = "".join(f'void {name}(void) __attribute__((weak, alias("Default_Handler")));\n' for name in names)
    vectors = "[11] = (void *)SVC_Handler, [14] = (void *)PendSV_Handler,\n    [0] = _estack, (void *)Reset"
    start = START.replace("_estack, (void *)Reset", vectors).replace(
        "void Reset_Handler", weak + "void Reset_Handler", 1
    )
    assert start.count("PendSV_Handler") == 2
    kernel = KERNEL.replace("ARRAYS", ONE_ARRAY if one_array else TWO_ARRAYS).replace("BEFORE", before)
    kernel = kernel.replace("GO_ON", kernel_start)
    kernel = kernel.replace("STRUCTURES", STRUCTURES[rtos])
    if rtos == "FreeRTOS":
        kernel = kernel.replace("bl next_stack", "bl vTaskSwitchContext")
    return build(
        folder, HEAD + kernel + code + MAIN, start=start, flags=["-foptimize-sibling-calls", *flags], name=name
    )
