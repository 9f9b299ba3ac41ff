#include "mcu_quantize.h"

enum { FRACTION_BITS = 23, EXPONENT_BIAS = 127, SPECIAL_EXPONENT = 255 };

#define SIGNIFICAND(bits) (((bits) & ((1u << FRACTION_BITS) - 1u)) | (1u << FRACTION_BITS))
#define EXPONENT(bits) ((int32_t)(((bits) >> FRACTION_BITS) & 0xFFu))

/* From 2^16 on every result saturates, whatever the zero point. */
#define HUGE_POWER 16
#define HUGE_VALUE (1u << HUGE_POWER)

static uint32_t bits_of(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The nearest integer to the float32 quotient of the magnitude of `bits` by the scale, halves up. */
static uint32_t divided(uint32_t bits, const struct mcu_quantize *p)
{
    const int32_t power = EXPONENT(bits) - p->exponent; /* the quotient lies between 2^(power - 1) and 2^(power + 1) */
    if (EXPONENT(bits) == SPECIAL_EXPONENT) {
        return SIGNIFICAND(bits) == 1u << FRACTION_BITS ? HUGE_VALUE : 0;
    }
    if (power < -1) {
        return 0;
    }
    if (power >= HUGE_POWER) {
        return HUGE_VALUE;
    }
    /* The quotient times 2^(30 - power) from the upper 16 bits of both numbers: never too much, and too little by less
     * than 1 in 2^13. Unless a middle between two integers lies in between, that settles it without a division. */
    const uint32_t low = ((SIGNIFICAND(bits) >> 8) * p->reciprocal) >> 1;
    const uint32_t high = low + (low >> 13) + 1;
    const uint32_t shift = (uint32_t)(30 - power);
    const uint32_t half = 1u << (shift - 1);
    const uint32_t nearest = (low + half) >> shift;
    if (nearest == (high + half) >> shift) {
        return nearest;
    }
    float value;
    bits &= 0x7FFFFFFFu;
    __builtin_memcpy(&value, &bits, sizeof value);
    const uint32_t quotient = bits_of(value / p->scale);
    const int32_t exponent = EXPONENT(quotient);
    if (exponent < EXPONENT_BIAS - 1) {
        return 0;
    }
    const int32_t drop = EXPONENT_BIAS + FRACTION_BITS - exponent;
    return (SIGNIFICAND(quotient) + ((1u << drop) >> 1)) >> drop;
}

void mcu_quantize(void *output, const float *input, const struct mcu_quantize *parameters, size_t count)
{
    const struct mcu_quantize *const p = parameters;
    uint8_t *to = output;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t bits = bits_of(input[i]);
        const int32_t magnitude = (int32_t)divided(bits, p);
        int32_t value = p->zero_point + ((bits >> 31) != 0 ? -magnitude : magnitude);
        value = value < p->minimum ? p->minimum : value;
        value = value > p->maximum ? p->maximum : value;
        to[i] = (uint8_t)value;
    }
}
