#ifndef MCU_ELEMENTWISE_H
#define MCU_ELEMENTWISE_H

#include "mcu_arithmetic.h"

/* MAXIMUM and MINIMUM, int8: the larger or smaller byte, whatever it stands for. `output` may be an operand that does not
 * repeat. */
void mcu_maximum_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_broadcast *broadcast);
void mcu_minimum_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_broadcast *broadcast);

/* (value - zero_point) * 2^7 and then mcu_requantize_twice, for each operand; the square of their difference is requantized
 * once more. */
struct mcu_squared_difference {
    struct mcu_broadcast broadcast;
    int32_t multiplier[2];
    int32_t out_multiplier;
    int16_t zero_point[2];
    int16_t out_zero_point;
    int8_t right[2];
    int8_t out_right;
    int16_t minimum;
    int16_t maximum;
};

/* SQUARED_DIFFERENCE, int8, rounding twice. `output` may be an operand that does not repeat. */
void mcu_squared_difference_s8(int8_t *output, const int8_t *first, const int8_t *second,
                               const struct mcu_squared_difference *parameters);

/* Values from the zero point on are requantized with number 0 of `multiplier` and `right`, those below, times the slope,
 * with number 1. `zero_point` is that of the input and of the slopes. */
struct mcu_prelu {
    struct mcu_broadcast broadcast;
    int32_t multiplier[2];
    int16_t zero_point[2];
    int16_t out_zero_point;
    int8_t right[2];
};

/* PRELU, int8, rounding twice. `output` may be `input`. */
void mcu_prelu_s8(int8_t *output, const int8_t *input, const int8_t *slopes, const struct mcu_prelu *parameters);

#endif
