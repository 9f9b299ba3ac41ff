#include "mcu_div.h"

#include "mcu_broadcast.h"
#include "mcu_reciprocal.h"

/* How often a positive value can be doubled before it reaches 2^31. */
static int32_t headroom_of(uint32_t value)
{
    int32_t bits = 0;
    while (value < 1u << 30) {
        value <<= 1;
        bits += 1;
    }
    return bits;
}

/* value / 2^exponent, halves away from zero; from 32 on what the reference's code gives on machines that count shifts modulo 32,
 * as 0 divided by a large number needs that many. */
static int32_t divided_by_power(int32_t value, int32_t exponent)
{
    if (exponent == 0) {
        return value;
    }
    if (exponent > 31) {
        return (value >> (exponent & 31)) + (value >= 0);
    }
    const int32_t mask = (int32_t)((1u << exponent) - 1u);
    const int32_t threshold = (mask >> 1) + (value < 0);
    return (value >> exponent) + ((value & mask) > threshold);
}

static int32_t quotient(int32_t dividend, int32_t divisor, const struct mcu_div *p)
{
    if (divisor == 0) {
        return 0;
    }
    if (divisor < 0) {
        dividend = -dividend;
        divisor = -divisor;
    }
    const int32_t divisor_bits = headroom_of((uint32_t)divisor);
    const uint32_t mantissa = (uint32_t)divisor << (divisor_bits + 1);
    const int32_t inverse = mcu_reciprocal_of_one_plus((int32_t)(mantissa - (1u << 31)));
    const uint32_t size = (uint32_t)(dividend < 0 ? -dividend : dividend);
    int32_t bits = 31;
    if (size != 0) {
        /* A negative power of two has room for one bit more. */
        bits = headroom_of(size) + (dividend < 0 && (size & (size - 1)) == 0);
    }
    const int32_t scaled = mcu_doubling_high_multiply((int32_t)((uint32_t)dividend << bits), inverse);
    const int32_t exponent = p->right + (30 - divisor_bits) + bits;
    return divided_by_power(mcu_doubling_high_multiply(scaled, p->multiplier), exponent);
}

void mcu_div_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_div *parameters)
{
    const struct mcu_div *const p = parameters;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        const int8_t *a = first + walk.at[0];
        const int8_t *b = second + walk.at[1];
        int8_t *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t value = quotient(*a - p->zero_point[0], *b - p->zero_point[1], p);
            *output++ = (int8_t)mcu_clamp(value + p->out_zero_point, p->minimum, p->maximum);
            a += p->broadcast.step[0];
            b += p->broadcast.step[1];
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
