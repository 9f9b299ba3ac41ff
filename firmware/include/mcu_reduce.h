#ifndef MCU_REDUCE_H
#define MCU_REDUCE_H

#include <stdint.h>

/* Three nested loops over the input, outermost first: how often (1 or more), and the step in elements. */
#define MCU_REDUCE_LOOPS 3

struct mcu_reduce {
    int32_t kept_counts[MCU_REDUCE_LOOPS];
    int32_t kept_steps[MCU_REDUCE_LOOPS];
    int32_t reduced_counts[MCU_REDUCE_LOOPS];
    int32_t reduced_steps[MCU_REDUCE_LOOPS];
};

/* REDUCE_MAX and REDUCE_MIN, int8: one result for every turn of the kept loops, in their order, over all elements of the
 * reduced ones. */
void mcu_reduce_max_s8(int8_t *output, const int8_t *input, const struct mcu_reduce *parameters);
void mcu_reduce_min_s8(int8_t *output, const int8_t *input, const struct mcu_reduce *parameters);

/* The same of int16. */
void mcu_reduce_max_s16(int16_t *output, const int16_t *input, const struct mcu_reduce *parameters);
void mcu_reduce_min_s16(int16_t *output, const int16_t *input, const struct mcu_reduce *parameters);

#endif
