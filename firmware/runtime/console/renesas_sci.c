/* Renesas RA2, RA4, RA6: SCI in asynchronous mode, without FIFO (R01UH0887, chapter "SCI"). */
#include "console.h"

#define SCR 0x02u
#define SCR_TE (1u << 5)
#define TDR 0x03u
#define SSR 0x04u
#define SSR_TDRE (1u << 7) /* the data register can take a byte */

void mcu_device_start(uintptr_t base)
{
    *mcu_byte(base, SCR) |= SCR_TE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_byte(mcu_byte(base, SSR), SSR_TDRE)) {
        return false;
    }
    *mcu_byte(base, TDR) = byte;
    return true;
}
