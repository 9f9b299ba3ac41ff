/* Silicon Labs EFM32, EZR32, EFR32 series 0 and 1: USART and UART (EFM32GG reference manual, chapter "USART").
 * The frame format after reset is 8N1. */
#include "console.h"

#define CMD 0x0Cu
#define CMD_TXEN (1u << 2)
#define STATUS 0x10u
#define STATUS_TXBL (1u << 6) /* the transmit buffer can take a byte */
#define TXDATA 0x34u

/* CMD is write-only: there is nothing to keep. */
void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CMD) = CMD_TXEN;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, STATUS), STATUS_TXBL)) {
        return false;
    }
    *mcu_word(base, TXDATA) = byte;
    return true;
}
