/* The console: transmit only, polled, on whichever driver of console/ is linked. */
#include "console.h"
#include "runtime.h"

/* Bits to set in the register at `address`, or, with bit 0 of `address` set, to clear in the one at `address - 1`. */
struct register_step {
    uintptr_t address;
    uint32_t bits;
};

/* From the linker script, which has them from the board file. Addresses, not values. */
extern uint8_t __console_base[];
extern const struct register_step __console_enable_start[], __console_enable_end[];

/* Set once the device did not take a byte: nothing is sent any more, since each further byte would wait as long. */
static bool silent;

void mcu_console_init(void)
{
    const struct register_step *step;

    for (step = __console_enable_start; step != __console_enable_end; step++) {
        volatile uint32_t *word = mcu_word(step->address & ~(uintptr_t)1, 0);
        *word = (step->address & 1) != 0 ? *word & ~step->bits : *word | step->bits;
        (void)*word; /* a clock that was just switched on needs a moment before its device is touched */
    }
    mcu_device_start((uintptr_t)__console_base);
}

void mcu_console_write(const char *text)
{
    for (; *text != '\0' && !silent; text++) {
        silent = !mcu_device_send((uintptr_t)__console_base, (uint8_t)*text);
    }
}
