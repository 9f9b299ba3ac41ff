#ifndef MCU_MEAN_H
#define MCU_MEAN_H

#include <stdint.h>

/* Three nested loops over the input, outermost first: how often (1 or more), and the step in elements. */
#define MCU_MEAN_LOOPS 3

struct mcu_mean {
    int32_t kept_counts[MCU_MEAN_LOOPS];
    int32_t kept_steps[MCU_MEAN_LOOPS];
    int32_t reduced_counts[MCU_MEAN_LOOPS];
    int32_t reduced_steps[MCU_MEAN_LOOPS];
    int32_t sum_offset; /* -input zero point * elements in a mean */
    int32_t multiplier; /* input scale / output scale / elements in a mean; see mcu_requantize_twice */
    int32_t right;
    int32_t zero_point;
};

/* MEAN, int8, rounding twice: one result for every turn of the kept loops, in their order, over all elements of the
 * reduced ones. */
void mcu_mean_s8(int8_t *output, const int8_t *input, const struct mcu_mean *parameters);

/* The same for int16. */
void mcu_mean_s16(int16_t *output, const int16_t *input, const struct mcu_mean *parameters);

#endif
