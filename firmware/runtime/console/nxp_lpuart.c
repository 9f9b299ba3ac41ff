/* NXP i.MX RT, S32K, K32, MCX: LPUART with VERID and PARAM in front (i.MX RT1064 RM, 49.4). */
#include "console.h"

#define STAT 0x14u
#define STAT_TDRE (1u << 23) /* the data register can take a byte */
#define CTRL 0x18u
#define CTRL_TE (1u << 19)
#define DATA 0x1Cu

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CTRL) |= CTRL_TE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, STAT), STAT_TDRE)) {
        return false;
    }
    *mcu_word(base, DATA) = byte;
    return true;
}
