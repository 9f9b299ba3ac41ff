#include "mcu_l2_normalization.h"

#include "mcu_requantize.h"

/* Fixed-point numbers of 32 bits, named by their integer bits without the sign. */
#define Q3_ONE (1 << 28)
#define Q3_ONE_AND_A_HALF ((1 << 28) + (1 << 27))
#define Q0_SQRT_HALF 1518500250
#define OUTPUT_BITS 7

/* value * 2^bits, saturated. */
static int32_t shifted(int32_t value, int32_t bits)
{
    const int32_t most = INT32_MAX >> bits;
    if (value > most) {
        return INT32_MAX;
    }
    return value < -most - 1 ? INT32_MIN : (int32_t)((uint32_t)value << bits);
}

/* 1 / sqrt(value) = multiplier * 2^(-31 - right): five steps of Newton and Raphson from 1, as the reference takes them. */
static int32_t inverse_square_root(uint32_t value, int32_t *right)
{
    *right = 0;
    if (value <= 1) {
        return INT32_MAX;
    }
    *right = 11;
    while (value >= 1u << 29) {
        value >>= 2;
        *right += 1;
    }
    while (value < 1u << 27) {
        value <<= 2;
        *right -= 1;
    }
    const int32_t half = (int32_t)((value >> 2) + ((value >> 1) & 1));
    int32_t x = Q3_ONE;
    for (int32_t i = 0; i < 5; ++i) {
        const int32_t cube = shifted(mcu_doubling_high_multiply(mcu_doubling_high_multiply(x, x), x), 6);
        x = shifted(mcu_doubling_high_multiply(Q3_ONE_AND_A_HALF, x) - mcu_doubling_high_multiply(cube, half), 3);
    }
    x = mcu_doubling_high_multiply(x, Q0_SQRT_HALF);
    if (*right < 0) {
        x <<= -*right;
        *right = 0;
    }
    return x;
}

void mcu_l2_normalization_s8(int8_t *output, const int8_t *input, const struct mcu_l2_normalization *parameters)
{
    const struct mcu_l2_normalization *const p = parameters;
    for (uint32_t row = 0; row < p->rows; ++row) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < p->depth; ++i) {
            const int32_t value = input[i] - p->zero_point;
            sum += (uint32_t)(value * value);
        }
        int32_t right;
        const int32_t multiplier = inverse_square_root(sum, &right);
        for (uint32_t i = 0; i < p->depth; ++i) {
            const int32_t value = mcu_requantize_twice(input[i] - p->zero_point, multiplier, right - OUTPUT_BITS);
            output[i] = (int8_t)mcu_clamp(value, INT8_MIN, INT8_MAX);
        }
        output += p->depth;
        input += p->depth;
    }
}
