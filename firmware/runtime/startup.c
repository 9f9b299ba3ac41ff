/* Reset and exceptions, for every Cortex-M: no vendor code, no interrupts of the device.
 *
 * After reset the core runs from the device's default (internal) oscillator, and stays there: no PLL, no flash wait
 * states, no external memory is set up. That is enough for the console and for counting instructions; it is not the
 * clock that a board file names, so wall-clock times measured on hardware with this runtime are those of the default
 * oscillator. Where a boot loader or boot ROM has set up something faster, that stays.
 */
#include "runtime.h"

#define SCB_VTOR (*(volatile uint32_t *)0xE000ED08u)
#define SCB_CCR (*(volatile uint32_t *)0xE000ED14u)
#define SCB_SHCSR (*(volatile uint32_t *)0xE000ED24u)
#define SCB_CPACR (*(volatile uint32_t *)0xE000ED88u)

#define CCR_DIV_0_TRP (1u << 4)
#define SHCSR_FAULTS_ENABLED (7u << 16) /* MemManage, BusFault, UsageFault */
#define CPACR_FPU_FULL_ACCESS (0xFu << 20)

/* From the linker script. Addresses, not values. */
extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_top[];

int main(void);
void mcu_reset(void) __attribute__((noreturn));

/* Each exception ends in a loop of its own, so that the program counter alone tells which one it was. */
#define EXCEPTION(name)                           \
    void name(void);                              \
    __attribute__((used)) void name(void)         \
    {                                             \
        __asm__ volatile("@ " #name::: "memory"); \
        for (;;) {                                \
        }                                         \
    }

EXCEPTION(mcu_nmi)
EXCEPTION(mcu_hard_fault)
EXCEPTION(mcu_memory_fault)
EXCEPTION(mcu_bus_fault)
EXCEPTION(mcu_usage_fault)
EXCEPTION(mcu_secure_fault)
EXCEPTION(mcu_supervisor_call)
EXCEPTION(mcu_debug_monitor)
EXCEPTION(mcu_pend_sv)
EXCEPTION(mcu_sys_tick)

struct vector_table {
    uint32_t *stack;
    void (*handler[15])(void);
};

extern const struct vector_table mcu_vectors;
__attribute__((section(".vectors"), used)) const struct vector_table mcu_vectors = {
    __stack_top,
    {
        mcu_reset,
        mcu_nmi,
        mcu_hard_fault,
        mcu_memory_fault,
        mcu_bus_fault,
        mcu_usage_fault,
        mcu_secure_fault,
        0,
        0,
        0,
        mcu_supervisor_call,
        mcu_debug_monitor,
        0,
        mcu_pend_sv,
        mcu_sys_tick,
    },
};

#ifdef MCU_PLACED
/* What lies elsewhere than usual, a row each, from the linker script. */
extern const struct {
    uint32_t *start, *end;
    const uint32_t *load; /* 0: nothing, it is zeroed */
} __placed_table_start[], __placed_table_end[];
#endif

static void copy_words(uint32_t *to, const uint32_t *from, const uint32_t *end)
{
    while (to < end) {
        *to++ = *from++;
    }
}

static void clear_words(uint32_t *to, const uint32_t *end)
{
    while (to < end) {
        *to++ = 0;
    }
}

void mcu_reset(void)
{
#if __ARM_ARCH >= 7
    SCB_VTOR = (uint32_t)&mcu_vectors;
#endif
#if __ARM_ARCH_ISA_THUMB >= 2 /* the cores that have more faults than HardFault */
    SCB_SHCSR |= SHCSR_FAULTS_ENABLED;
    SCB_CCR |= CCR_DIV_0_TRP;
#endif
#ifdef __ARM_FP
    SCB_CPACR |= CPACR_FPU_FULL_ACCESS;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    copy_words(__data_start, __data_load, __data_end); /* onto itself in an image that is loaded into RAM */
    clear_words(__bss_start, __bss_end);
#ifdef MCU_PLACED
    for (__typeof__(&__placed_table_start[0]) row = __placed_table_start; row != __placed_table_end; ++row) {
        if (row->load != 0) {
            copy_words(row->start, row->load, row->end);
        } else {
            clear_words(row->start, row->end);
        }
    }
    __asm__ volatile("dsb\n\tisb" ::: "memory"); /* code among it */
#endif
    mcu_console_init();
    main();
    mcu_exit(1);
}
