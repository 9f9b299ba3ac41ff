/* Two numbers in one word, for kernels that get two products from one multiplication.
 *
 * A word p0 + 2^16 * p1 times a weight is both products, and so is the sum of two such: as |p0 * w| <= 128 * 127, two
 * of them stay below 2^15 and the upper half is exact once 2^15 is added. Over all taps `total` sums these words modulo
 * 2^32 and `upper` sums their upper halves: the second number's sum is `upper`, the first one's `total` less 2^16 times
 * it. */
#ifndef MCU_PAIRS_H
#define MCU_PAIRS_H

#include "mcu_staircase.h"

#define MCU_PAIRS_HALF 0x8000

struct mcu_pair_sums {
    uint32_t total; /* MCU_PAIRS_HALF too much for each two taps */
    int32_t upper;
};

/* Two taps, whose words are `a` and `b`. `half` is MCU_PAIRS_HALF, kept in a register by the caller. */
MCU_INLINE void mcu_pair_step(struct mcu_pair_sums *sums, int32_t a, int32_t first, int32_t b, int32_t second,
                              int32_t half)
{
    const int32_t both = half + a * first + b * second;
    sums->total += (uint32_t)both;
    sums->upper += both >> 16;
}

/* The sum of the first number after `steps` steps. */
MCU_INLINE int32_t mcu_pair_lower(struct mcu_pair_sums sums, int32_t steps)
{
    return (int32_t)(sums.total - ((uint32_t)sums.upper << 16) - (uint32_t)(steps * MCU_PAIRS_HALF));
}

/* mcu_climb for a sum that is not 256-fold.
 *
 * Without a long multiplication, a sum is taken as 256 * high + low and the multiplier, below 2^30, as 2^15 times one
 * number plus another: four products that fit 32 bits, as does the sum of the lower three. */
MCU_INLINE int8_t mcu_pair_climb(int32_t sum, struct mcu_staircase steps, struct mcu_finish finish, int32_t minimum,
                                 int32_t maximum)
{
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB > 1
    return mcu_climb((int32_t)((uint32_t)sum << 8), steps, finish, minimum, maximum);
#else
    const int32_t upper = steps.multiplier >> 15, lower = steps.multiplier & 0x7fff;
    const int32_t high = sum >> 8, low = sum & 0xff;
    const int32_t middle = high * lower + low * upper * 128 + (int32_t)((uint32_t)(low * lower) >> 8);
    int32_t value = ((high * upper + (middle >> 15)) >> 1) + steps.add;
    if (finish.signs) {
        value += (sum >> 31) & steps.below_zero;
    }
    value >>= steps.shift;
    if (finish.limits) {
        return (int8_t)mcu_clamp(value, minimum, maximum);
    }
    return (int8_t)(value == (int8_t)value ? value : 127 ^ (value >> 31));
#endif
}

#endif
