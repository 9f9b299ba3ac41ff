/* Microchip SAM C, D, E5, L: SERCOM as USART (SAM D21 data sheet DS40001882, 26.8).
 * TXPO and BAUD come from the board file: both may be written only while the device is off. */
#include "console.h"

#define CTRLA 0x00u
#define CTRLA_ENABLE (1u << 1)
#define CTRLA_MODE_INTERNAL_CLOCK (1u << 2)
#define CTRLA_DORD_LSB_FIRST (1u << 30)
#define CTRLB 0x04u
#define CTRLB_TXEN (1u << 16)
#define INTFLAG 0x18u
#define INTFLAG_DRE (1u << 0) /* the data register can take a byte */
#define SYNCBUSY 0x1Cu
#define DATA 0x28u

static void synchronize(uintptr_t base)
{
    for (uint32_t polls = 0; polls < MCU_CONSOLE_POLLS && *mcu_word(base, SYNCBUSY) != 0; polls++) {
    }
}

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CTRLA) |= CTRLA_MODE_INTERNAL_CLOCK | CTRLA_DORD_LSB_FIRST;
    *mcu_word(base, CTRLB) |= CTRLB_TXEN;
    synchronize(base);
    *mcu_word(base, CTRLA) |= CTRLA_ENABLE;
    synchronize(base);
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_byte(mcu_byte(base, INTFLAG), INTFLAG_DRE)) {
        return false;
    }
    *(volatile uint16_t *)(base + DATA) = byte;
    return true;
}
