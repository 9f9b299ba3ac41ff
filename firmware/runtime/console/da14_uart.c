/* Renesas DA1459x, DA1469x: UART of the 16550 kind, one register a word (DA1459x datasheet, chapter "UART"). */
#include "console.h"

#define THR 0x00u /* while the divisor latch is closed, as it is after reset */
#define LCR 0x0Cu
#define LCR_8_BITS 3u
#define LSR 0x14u
#define LSR_THRE (1u << 5) /* the holding register can take a byte */

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, LCR) |= LCR_8_BITS;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, LSR), LSR_THRE)) {
        return false;
    }
    *mcu_word(base, THR) = byte;
    return true;
}
