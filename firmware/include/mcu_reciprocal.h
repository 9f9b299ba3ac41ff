/* Reciprocals in fixed point, for the kernels that include it. */
#ifndef MCU_RECIPROCAL_H
#define MCU_RECIPROCAL_H

#include "mcu_requantize.h"

/* Fixed-point numbers of 32 bits, named by their integer bits without the sign: q0 is below 1, q2 below 4. */
#define MCU_Q2_ONE (1 << 29)
#define MCU_Q2_48_OVER_17 1515870810
#define MCU_Q2_MINUS_32_OVER_17 (-1010580540)

/* 1 / (1 + x) in q0 for x in q0: three Newton-Raphson steps from 48/17 - 32/17 * (1 + x) / 2. */
static inline int32_t mcu_reciprocal_of_one_plus(int32_t x)
{
    const int32_t half = (x >> 1) + (1 << 30);
    int32_t inverse = MCU_Q2_48_OVER_17 + mcu_doubling_high_multiply(MCU_Q2_MINUS_32_OVER_17, half);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = MCU_Q2_ONE - mcu_doubling_high_multiply(inverse, half);
        inverse += mcu_doubling_high_multiply(error, inverse) * 4;
    }
    return inverse >= 1 << 30 ? INT32_MAX : inverse * 2;
}

#endif
