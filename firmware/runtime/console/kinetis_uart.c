/* NXP Kinetis K, KL and Vybrid: UART with byte registers (K64P144M120SF5RM, chapter "UART"). */
#include "console.h"

#define C2 0x03u
#define C2_TE (1u << 3)
#define S1 0x04u
#define S1_TDRE (1u << 7) /* the data register can take a byte */
#define D 0x07u

void mcu_device_start(uintptr_t base)
{
    *mcu_byte(base, C2) |= C2_TE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_byte(mcu_byte(base, S1), S1_TDRE)) {
        return false;
    }
    *mcu_byte(base, D) = byte;
    return true;
}
