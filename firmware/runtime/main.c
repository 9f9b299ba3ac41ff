/* The main loop: see firmware/README.md. Text goes out only outside the measured windows. */
#include "runtime.h"

/* Kept apart by their assembly comments: two functions with the same body may be folded into one. */
#if defined(__clang__)
#define LANDMARK __attribute__((noinline, used))
#else
#define LANDMARK __attribute__((noinline, noclone, used))
#endif

int main(void);

volatile uint32_t mcu_inferences = 1;

LANDMARK void mcu_window_begin(void)
{
    __asm__ volatile("@ window begin" ::: "memory");
}

LANDMARK void mcu_window_end(void)
{
    __asm__ volatile("@ window end" ::: "memory");
}

LANDMARK void mcu_exit(int32_t status)
{
    __asm__ volatile("@ exit" ::"r"(status) : "memory");
    for (;;) {
    }
}

int main(void)
{
    mcu_console_write("mcu-harness: start\r\n");
    do {
        mcu_window_begin();
        mcu_infer();
        mcu_window_end();
        mcu_inferences = mcu_inferences - 1;
    } while (mcu_inferences != 0);
    mcu_console_write("mcu-harness: done\r\n");
    mcu_exit(0);
}
