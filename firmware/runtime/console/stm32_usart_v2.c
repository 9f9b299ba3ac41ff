/* STM32 F0, F3, F7, G0, G4, H7, L0, L4, L5, U5, WB: USART, UART and LPUART with ISR and TDR (ST RM0351, 40.8). */
#include "console.h"

#define CR1 0x00u
#define CR1_UE (1u << 0)
#define CR1_TE (1u << 3)
#define ISR 0x1Cu
#define ISR_TXE (1u << 7) /* the data register can take a byte */
#define TDR 0x28u

void mcu_device_start(uintptr_t base)
{
    *mcu_word(base, CR1) |= CR1_UE;
    *mcu_word(base, CR1) |= CR1_TE;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    if (!mcu_wait_word(mcu_word(base, ISR), ISR_TXE)) {
        return false;
    }
    *mcu_word(base, TDR) = byte;
    return true;
}
