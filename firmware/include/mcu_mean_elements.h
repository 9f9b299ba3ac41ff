/* The text of the kernels of MEAN: KERNEL is the name of one, ELEMENT the type of its elements, from MINIMUM to
 * MAXIMUM. */
#include "mcu_mean.h"

#include "mcu_requantize.h"

static int32_t sum_of(const ELEMENT *input, const int32_t *counts, const int32_t *steps)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < counts[0]; ++i) {
        for (int32_t j = 0; j < counts[1]; ++j) {
            int32_t at = i * steps[0] + j * steps[1];
            for (int32_t left = counts[2]; left != 0; --left) {
                sum += input[at];
                at += steps[2];
            }
        }
    }
    return sum;
}

void KERNEL(ELEMENT *output, const ELEMENT *input, const struct mcu_mean *parameters)
{
    const struct mcu_mean *const p = parameters;
    for (int32_t i = 0; i < p->kept_counts[0]; ++i) {
        for (int32_t j = 0; j < p->kept_counts[1]; ++j) {
            const ELEMENT *first = input + i * p->kept_steps[0] + j * p->kept_steps[1];
            for (int32_t left = p->kept_counts[2]; left != 0; --left) {
                const int32_t sum = sum_of(first, p->reduced_counts, p->reduced_steps) + p->sum_offset;
                const int32_t mean = mcu_requantize_twice(sum, p->multiplier, p->right) + p->zero_point;
                *output++ = (ELEMENT)mcu_clamp(mean, MINIMUM, MAXIMUM);
                first += p->kept_steps[2];
            }
        }
    }
}
