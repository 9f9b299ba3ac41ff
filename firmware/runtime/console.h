/* What a console driver is: one file in console/, chosen by the board file (`console.driver`). */
#ifndef MCU_CONSOLE_H
#define MCU_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

/* More polls than any character takes: at 9600 baud and 600 MHz it takes 625,000 core cycles, and a poll of a
 * peripheral register more than six of them. */
#define MCU_CONSOLE_POLLS 100000u

/* Switch the transmitter of the device at `base` on. Clocks, pins and baud rate were set from the board file. */
void mcu_device_start(uintptr_t base);

/* Send one byte; false when the device did not become ready in MCU_CONSOLE_POLLS polls. */
bool mcu_device_send(uintptr_t base, uint8_t byte);

static inline volatile uint32_t *mcu_word(uintptr_t base, uint32_t offset)
{
    return (volatile uint32_t *)(base + offset);
}

static inline volatile uint8_t *mcu_byte(uintptr_t base, uint32_t offset)
{
    return (volatile uint8_t *)(base + offset);
}

/* Wait until any bit of `mask` is set in `*word`; false when that takes too long. */
static inline bool mcu_wait_word(const volatile uint32_t *word, uint32_t mask)
{
    for (uint32_t polls = 0; polls < MCU_CONSOLE_POLLS; polls++) {
        if ((*word & mask) != 0) {
            return true;
        }
    }
    return false;
}

/* The same for devices whose registers are bytes. */
static inline bool mcu_wait_byte(const volatile uint8_t *byte, uint32_t mask)
{
    for (uint32_t polls = 0; polls < MCU_CONSOLE_POLLS; polls++) {
        if ((*byte & mask) != 0) {
            return true;
        }
    }
    return false;
}

#endif
