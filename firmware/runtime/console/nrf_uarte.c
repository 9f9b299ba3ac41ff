/* Nordic nRF52, nRF53, nRF91: UARTE, which fetches what it sends from RAM by itself (nRF52840 PS v1.7, 6.34).
 * Pin and baud rate (PSEL.TXD, BAUDRATE) come from the board file, and must be set before the device is enabled. */
#include "console.h"

#define TASKS_STARTTX 0x008u
#define EVENTS_ENDTX 0x120u
#define ENABLE 0x500u
#define ENABLE_UARTE 8u
#define TXD_PTR 0x544u
#define TXD_MAXCNT 0x548u

static volatile uint8_t outgoing; /* in RAM: EasyDMA cannot read flash */

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, ENABLE) = ENABLE_UARTE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    outgoing = byte;
    *mcu_word(base, EVENTS_ENDTX) = 0;
    *mcu_word(base, TXD_PTR) = (uint32_t)(uintptr_t)&outgoing;
    *mcu_word(base, TXD_MAXCNT) = 1;
    __asm__ volatile("dsb" ::: "memory");
    *mcu_word(base, TASKS_STARTTX) = 1;
    return mcu_wait_word(mcu_word(base, EVENTS_ENDTX), 1);
}
