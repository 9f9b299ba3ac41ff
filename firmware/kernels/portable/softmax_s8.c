#include "mcu_softmax.h"

#include "mcu_requantize.h"

/* Fixed-point numbers of 32 bits, named by their integer bits without the sign: q0 is below 1, q2 below 4. */
#define SUM_INTEGER_BITS 12
#define Q2_ONE (1 << 29)
#define Q2_48_OVER_17 1515870810
#define Q2_MINUS_32_OVER_17 (-1010580540)

/* 1 / (1 + x) in q0 for x in q0: three Newton-Raphson steps from 48/17 - 32/17 * (1 + x) / 2. */
static int32_t reciprocal_of_one_plus(int32_t x)
{
    const int32_t half = (x >> 1) + (1 << 30);
    int32_t inverse = Q2_48_OVER_17 + mcu_doubling_high_multiply(Q2_MINUS_32_OVER_17, half);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = Q2_ONE - mcu_doubling_high_multiply(inverse, half);
        inverse += mcu_doubling_high_multiply(error, inverse) * 4;
    }
    return inverse >= 1 << 30 ? INT32_MAX : inverse * 2;
}

static void softmax(int8_t *output, const int8_t *input, const struct mcu_softmax *p)
{
    const int8_t *const end = input + p->depth;
    int32_t largest = INT8_MIN;
    for (const int8_t *value = input; value != end; ++value) {
        largest = *value > largest ? *value : largest;
    }
    uint32_t sum = 0;
    for (const int8_t *value = input; value != end; ++value) {
        const uint32_t difference = (uint32_t)(largest - *value);
        if (difference < p->entries) {
            sum += ((uint32_t)p->exponentials[difference] + (1u << (SUM_INTEGER_BITS - 1))) >> SUM_INTEGER_BITS;
        }
    }
    /* The sum is at least 1: shifted up to just below 2 it has at most 12 bits to go. */
    int32_t shift = 31 - 8 + SUM_INTEGER_BITS;
    uint32_t mantissa = sum;
    while ((mantissa >> 31) == 0) {
        mantissa <<= 1;
        shift -= 1;
    }
    shift = shift > 31 ? 31 : shift;
    const int32_t scale = reciprocal_of_one_plus((int32_t)(mantissa - (1u << 31)));
    while (input != end) {
        const uint32_t difference = (uint32_t)(largest - *input++);
        int32_t value = 0;
        if (difference < p->entries) {
            value = mcu_doubling_high_multiply(scale, p->exponentials[difference]);
            value = (value >> shift) + ((value >> (shift - 1)) & 1);
        }
        *output++ = (int8_t)mcu_clamp(value + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

void mcu_softmax_s8(int8_t *output, const int8_t *input, const struct mcu_softmax *parameters)
{
    for (uint32_t row = 0; row < parameters->rows; ++row) {
        softmax(output, input, parameters);
        output += parameters->depth;
        input += parameters->depth;
    }
}
