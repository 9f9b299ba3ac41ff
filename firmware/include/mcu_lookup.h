#ifndef MCU_LOOKUP_H
#define MCU_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

/* output[i] = table[input[i]] for `count` bytes; int8 values stand for the byte with the same bits. `table` has 256
 * entries. `output` may be `input`. */
void mcu_lookup(void *output, const void *input, const uint8_t *table, size_t count);

#endif
