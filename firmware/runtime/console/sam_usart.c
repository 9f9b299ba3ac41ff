/* Microchip SAM 3, 4, E70, S70, V71: USART (DS60001527, chapter "USART"). Mode and divisor come from the board file. */
#include "console.h"

#define CR 0x00u
#define CR_TXEN (1u << 6)
#define CSR 0x14u
#define CSR_TXRDY (1u << 1) /* the holding register can take a byte */
#define THR 0x1Cu

/* CR is write-only: there is nothing to keep. */
void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CR) = CR_TXEN;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, CSR), CSR_TXRDY)) {
        return false;
    }
    *mcu_word(base, THR) = byte;
    return true;
}
