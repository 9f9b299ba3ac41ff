#ifndef MCU_DIV_H
#define MCU_DIV_H

#include "mcu_arithmetic.h"

/* A divisor of 0 gives the output's zero point; the reference stops at one. */
struct mcu_div {
    struct mcu_broadcast broadcast;
    int32_t multiplier;
    int16_t zero_point[2];
    int16_t out_zero_point;
    int16_t minimum;
    int16_t maximum;
    int8_t right;
};

/* DIV, int8. `output` may be an operand that does not repeat. */
void mcu_div_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_div *parameters);

#endif
