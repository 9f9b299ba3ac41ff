/* Dot products of int8 vectors: what convolutions and dense layers are made of. */
#ifndef MCU_DOT_H
#define MCU_DOT_H

#include "mcu_requantize.h"

/* `sums` = `start` plus the products of `length` inputs with four filters: one input is read for every four products.
 * `filter` is [length][4], the four filters interleaved. */
MCU_INLINE void mcu_dot_4(int32_t sums[4], const int32_t start[4], const int8_t *input, const int8_t *filter,
                          int32_t length)
{
    const int8_t *const end = input + length;
    const int8_t *const unrolled = end - (length & 3);
    int32_t s0 = start[0], s1 = start[1], s2 = start[2], s3 = start[3];
#define MCU_STEP(k)                        \
    do {                                   \
        const int32_t value = input[k];    \
        s0 += value * filter[4 * (k)];     \
        s1 += value * filter[4 * (k) + 1]; \
        s2 += value * filter[4 * (k) + 2]; \
        s3 += value * filter[4 * (k) + 3]; \
    } while (0)
    while (input != unrolled) {
        MCU_STEP(0);
        MCU_STEP(1);
        MCU_STEP(2);
        MCU_STEP(3);
        input += 4;
        filter += 16;
    }
    while (input != end) {
        MCU_STEP(0);
        input += 1;
        filter += 4;
    }
#undef MCU_STEP
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* `start` plus the products of `length` inputs with one filter. */
MCU_INLINE int32_t mcu_dot_1(int32_t start, const int8_t *input, const int8_t *filter, int32_t length)
{
    const int8_t *const end = input + length;
    while (input != end) {
        start += *input++ * *filter++;
    }
    return start;
}

#endif
