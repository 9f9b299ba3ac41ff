/* Arm PrimeCell PL011, as in Ambiq Apollo4, QuickLogic EOS S3, TI CC2538 (Arm DDI 0183, 3.3).
 * The line control register takes effect with the divisors written before it, which come from the board file. */
#include "console.h"

#define DR 0x00u
#define FR 0x18u
#define FR_TXFE (1u << 7) /* the transmit FIFO is empty */
#define LCR_H 0x2Cu
#define LCR_H_WLEN_8 (3u << 5)
#define CR 0x30u
#define CR_UARTEN (1u << 0)
#define CR_TXE (1u << 8)

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, LCR_H) |= LCR_H_WLEN_8;
    *mcu_word(base, CR) |= CR_UARTEN | CR_TXE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, FR), FR_TXFE)) {
        return false;
    }
    *mcu_word(base, DR) = byte;
    return true;
}
