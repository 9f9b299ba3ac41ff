#include "mcu_lookup.h"

void mcu_lookup(void *output, const void *input, const uint8_t *table, size_t count)
{
    uint8_t *to = output;
    const uint8_t *from = input;
    for (; count >= 4; count -= 4) {
        to[0] = table[from[0]];
        to[1] = table[from[1]];
        to[2] = table[from[2]];
        to[3] = table[from[3]];
        to += 4;
        from += 4;
    }
    while (count-- != 0) {
        *to++ = table[*from++];
    }
}
