#include "mcu_quantize.h"

enum { EXPONENT_BIAS = 127, FRACTION_BITS = 23, SPECIAL_EXPONENT = 255 };

/* Beyond 2^16 every result saturates, whatever the zero point. */
#define HUGE_EXPONENT (EXPONENT_BIAS + 16)
#define HUGE_VALUE (1 << 16)

/* The nearest integer to `value`, halves away from zero; 0 for NaN, +-HUGE_VALUE beyond. On the bits of the number:
 * shorter than a comparison and a conversion on cores without FPU, and the same on every core. */
static int32_t round_to_integer(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const uint32_t exponent = (bits >> FRACTION_BITS) & 0xFFu;
    const uint32_t fraction = bits & ((1u << FRACTION_BITS) - 1u);
    int32_t magnitude;
    if (exponent < EXPONENT_BIAS - 1) { /* below one half */
        return 0;
    }
    if (exponent == SPECIAL_EXPONENT && fraction != 0) {
        return 0;
    }
    if (exponent >= HUGE_EXPONENT) {
        magnitude = HUGE_VALUE;
    } else {
        const uint32_t shift = EXPONENT_BIAS + FRACTION_BITS - exponent;
        magnitude = (int32_t)(((fraction | (1u << FRACTION_BITS)) + (1u << (shift - 1))) >> shift);
    }
    return (bits >> 31) != 0 ? -magnitude : magnitude;
}

void mcu_quantize(void *output, const float *input, const struct mcu_quantize *parameters, size_t count)
{
    uint8_t *to = output;
    const float scale = parameters->scale;
    const int32_t zero_point = parameters->zero_point;
    const int32_t minimum = parameters->minimum, maximum = parameters->maximum;
    for (size_t i = 0; i < count; ++i) {
        int32_t value = round_to_integer(input[i] / scale) + zero_point;
        value = value < minimum ? minimum : value;
        value = value > maximum ? maximum : value;
        to[i] = (uint8_t)value;
    }
}
