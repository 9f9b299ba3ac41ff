#include "mcu_lookup.h"

void mcu_lookup(void *output, const void *input, const uint8_t *table, size_t count)
{
    uint8_t *to = output;
    const uint8_t *from = input;
    for (size_t i = 0; i < count; ++i) {
        to[i] = table[from[i]];
    }
}
