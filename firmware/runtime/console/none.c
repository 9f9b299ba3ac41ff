/* No console, for boards without one. */
#include "console.h"

void mcu_device_start(uintptr_t base)
{
    (void)base;
}

bool mcu_device_send(uintptr_t base, uint8_t byte)
{
    (void)base;
    (void)byte;
    return false;
}
