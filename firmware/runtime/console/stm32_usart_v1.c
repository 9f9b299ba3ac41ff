/* STM32 F1, F2, F4, L1: USART and UART with SR and DR (ST RM0090, 30.6). */
#include "console.h"

#define SR 0x00u
#define SR_TXE (1u << 7) /* the data register can take a byte */
#define DR 0x04u
#define CR1 0x0Cu
#define CR1_TE (1u << 3)
#define CR1_UE (1u << 13)

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CR1) |= CR1_UE | CR1_TE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, SR), SR_TXE)) {
        return false;
    }
    *mcu_word(base, DR) = byte;
    return true;
}
