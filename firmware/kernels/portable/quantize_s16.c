#include "mcu_quantize.h"

enum { FRACTION_BITS = 23, EXPONENT_BIAS = 127, FIRST_SATURATED = 17 };

/* The nearest integer to a float32, halves away from zero, from 2^17 on that; 0 for what is no number. */
static int32_t nearest(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const int32_t exponent = (int32_t)((bits >> FRACTION_BITS) & 0xffu) - EXPONENT_BIAS;
    const uint32_t fraction = bits & ((1u << FRACTION_BITS) - 1u);
    uint32_t size = 0;
    if (exponent >= FIRST_SATURATED) {
        size = exponent > EXPONENT_BIAS && fraction != 0 ? 0 : 1u << FIRST_SATURATED;
    } else if (exponent >= -1) {
        const int32_t drop = FRACTION_BITS - exponent;
        size = ((fraction | (1u << FRACTION_BITS)) + ((1u << drop) >> 1)) >> drop;
    }
    return (bits >> 31) != 0 ? -(int32_t)size : (int32_t)size;
}

void mcu_quantize_s16(int16_t *output, const float *input, const struct mcu_quantize *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        int32_t value = parameters->zero_point + nearest(input[i] / parameters->scale);
        value = value < INT16_MIN ? INT16_MIN : value;
        output[i] = (int16_t)(value > INT16_MAX ? INT16_MAX : value);
    }
}
