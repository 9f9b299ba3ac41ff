#ifndef MCU_ARG_EXTREMUM_H
#define MCU_ARG_EXTREMUM_H

#include <stdint.h>

/* [outer][size][inner] -> [outer][inner]: where along `size` the largest value is, or, with `flip` -1 instead of 1, the
 * smallest; the first of several. */
struct mcu_arg_extremum {
    uint32_t outer;
    uint32_t size;
    uint32_t inner;
    int32_t flip;
};

/* ARG_MAX and ARG_MIN of int8. */
void mcu_arg_extremum_s8(int32_t *output, const int8_t *input, const struct mcu_arg_extremum *parameters);

/* With places of 64 bits. */
void mcu_arg_extremum_s8_s64(int64_t *output, const int8_t *input, const struct mcu_arg_extremum *parameters);

#endif
