#include "mcu_compare.h"

#include "mcu_broadcast.h"

enum { HEADROOM_BITS = 8 };

static int32_t operand(const void *values, int32_t at, const struct mcu_compare *p, int32_t which)
{
    if (p->element_bytes == 4) {
        return ((const int32_t *)values)[at];
    }
    if (p->element_bytes == 2) {
        return ((const int16_t *)values)[at];
    }
    const int32_t value = ((const int8_t *)values)[at];
    if (p->scaled == 0) {
        return value;
    }
    const int32_t centred = (value - p->zero_point[which]) * (1 << HEADROOM_BITS);
    return mcu_requantize_twice(centred, p->multiplier[which], p->right[which]);
}

void mcu_compare(uint8_t *output, const void *first, const void *second, const struct mcu_compare *parameters)
{
    const struct mcu_compare *const p = parameters;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        int32_t left = walk.at[0];
        int32_t right = walk.at[1];
        for (uint32_t i = 0; i < p->broadcast.length; ++i) {
            const int32_t a = operand(first, left, p, 0);
            const int32_t b = operand(second, right, p, 1);
            *output++ = (uint8_t)((p->truths >> ((a >= b) + (a > b))) & 1);
            left += p->broadcast.step[0];
            right += p->broadcast.step[1];
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
