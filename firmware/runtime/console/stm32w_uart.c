/* ST STM32W108: serial controller SC1 as UART (STM32W108xx datasheet, "Serial interfaces"). `base` is that of its DMA
 * registers (0x4000C800), around which the others lie; UART mode and divisor come from the board file.
 * Two signs of readiness are read, since emulators may have only the interrupt flag: it latches that the buffer
 * became free, and is cleared with each byte sent. */
#include "console.h"

#define DR 0x3Cu
#define UARTSR 0x48u
#define UARTSR_TXE (1u << 2)
#define ISR_BELOW_BASE 0x1FF8u /* SC1_ISR at 0x4000A808 */
#define ISR_TXFREE (1u << 1)

/* The controller has no switch of its own for the transmitter. */
void mcu_device_start(uintptr_t base)
{
    (void)base;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    volatile uint32_t *flags = mcu_word(base - ISR_BELOW_BASE, 0);

    for (uint32_t polls = 0; polls < MCU_CONSOLE_POLLS; polls++) {
        if ((*mcu_word(base, UARTSR) & UARTSR_TXE) != 0 || (*flags & ISR_TXFREE) != 0) {
            *flags = ISR_TXFREE;
            *mcu_word(base, DR) = byte;
            return true;
        }
    }
    return false;
}
