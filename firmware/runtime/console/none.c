/* No console: for boards without one, and for images that must hold nothing but the model. */
#include "runtime.h"

void mcu_console_init(void)
{
}

void mcu_console_write(const char *text)
{
    (void)text;
}
