/* Analog Devices MAX32650, MAX32651, MAX32652: UART (MAX32650-MAX32652 user guide, chapter "UART"). */
#include "console.h"

#define CTRL0 0x00u
#define CTRL0_ENABLE (1u << 0)
#define CTRL0_SIZE_8 (3u << 8)
#define STATUS 0x08u
#define STATUS_TX_EMPTY (1u << 6) /* the transmit FIFO is empty */
#define FIFO 0x1Cu

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CTRL0) |= CTRL0_ENABLE | CTRL0_SIZE_8;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, STATUS), STATUS_TX_EMPTY)) {
        return false;
    }
    *mcu_word(base, FIFO) = byte;
    return true;
}
