/* From a sum to an 8-bit output in one multiplication, exactly as the reference rounds it.
 *
 * An output is a staircase of its sum with at most 256 steps. Two numbers that put every step where the reference has
 * it give its outputs for all sums that can occur, however it rounds; they are searched when the C is generated
 * (harness/mcu_harness/model/codegen/staircase.py). Kernels that include this header say which sums they pass. */
#ifndef MCU_STAIRCASE_H
#define MCU_STAIRCASE_H

#include "mcu_dsp.h"

/* ((256 * sum * multiplier >> 32) + add + (below_zero where the sum is negative)) >> shift, saturated. `add` contains
 * the zero point. |sum| < 2^23, multiplier < 2^30. `below_zero` is 0 in all steps of a layer unless the layer says otherwise: it is for
 * rounding halves away from zero, which matters only where negative results are not cut off. */
struct mcu_staircase {
    int32_t multiplier;
    int32_t add;
    int16_t below_zero;
    int16_t shift;
};

/* What a layer's outputs need besides: whether `below_zero` counts, and whether they end at `minimum` and `maximum`
 * instead of -128 and 127. Constant in each caller, so that the compiler leaves out what is not needed. */
struct mcu_finish {
    int32_t signs;
    int32_t limits;
};

/* `sum` is 256-fold. */
MCU_INLINE int8_t mcu_climb(int32_t sum, struct mcu_staircase steps, struct mcu_finish finish, int32_t minimum,
                            int32_t maximum)
{
    int32_t value = mcu_smmla(sum, steps.multiplier, steps.add);
    if (finish.signs) {
        value += (sum >> 31) & steps.below_zero;
    }
    value >>= steps.shift;
    return (int8_t)(finish.limits ? mcu_clamp(value, minimum, maximum) : mcu_saturate_8(value));
}

#endif
