#ifndef MCU_COMPARE_H
#define MCU_COMPARE_H

#include "mcu_arithmetic.h"

/* Which results are true: bit 0 where the first operand is smaller, bit 1 where both are the same, bit 2 where it is larger.
 * Operands are elements of `element_bytes` (1, 2 or 4), signed. With `scaled` they are bytes, and compared after
 * (value - zero_point) * 2^8 went through mcu_requantize_twice. */
struct mcu_compare {
    struct mcu_broadcast broadcast;
    int32_t multiplier[2];
    int16_t zero_point[2];
    int8_t right[2];
    uint8_t element_bytes;
    uint8_t scaled;
    uint8_t truths;
};

/* EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL: 0 or 1 in each byte of `output`, which may be an operand of
 * bytes that does not repeat. */
void mcu_compare(uint8_t *output, const void *first, const void *second, const struct mcu_compare *parameters);

#endif
