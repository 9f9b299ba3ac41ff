/* Gaisler APBUART, as in Frontgrade UT32M0R500 (GRLIB IP core manual, chapter "APBUART"). */
#include "console.h"

#define DATA 0x00u
#define STATUS 0x04u
#define STATUS_TE (1u << 2) /* the transmit FIFO is empty */
#define CONTROL 0x08u
#define CONTROL_TE (1u << 1)

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CONTROL) |= CONTROL_TE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, STATUS), STATUS_TE)) {
        return false;
    }
    *mcu_word(base, DATA) = byte;
    return true;
}
