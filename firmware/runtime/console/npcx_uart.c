/* Nuvoton NPCX7, NPCX9: CR_UART with byte registers (register layout of the NPCX9 family data sheet as it is known
 * from Zephyr and Renode; the document itself is not public). */
#include "console.h"

#define UTBUF 0x00u
#define UMDSL 0x0Au
#define UMDSL_FIFO_MD (1u << 0)
#define UFTSTS 0x20u
#define UFTSTS_TFIFO_EMPTY (1u << 6) /* the transmit FIFO is empty */

void mcu_device_start(uintptr_t base)
{
    *mcu_byte(base, UMDSL) |= UMDSL_FIFO_MD;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_byte(mcu_byte(base, UFTSTS), UFTSTS_TFIFO_EMPTY)) {
        return false;
    }
    *mcu_byte(base, UTBUF) = byte;
    return true;
}
