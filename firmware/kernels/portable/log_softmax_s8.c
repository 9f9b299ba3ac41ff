#include "mcu_log_softmax.h"

#include "mcu_reciprocal.h"
#include "mcu_requantize.h"

/* Fixed-point numbers of 32 bits, named by their integer bits without the sign: q0 is below 1, q6 below 64. */
#define SUM_INTEGER_BITS 12
#define Q6_FRACTION_BITS 25
#define Q6_QUARTER (1 << (Q6_FRACTION_BITS - 2))
#define Q0_LOG_2 1488522236
#define Q0_SQRT_SQRT_HALF 1805811301
#define Q0_SQRT_HALF 1518500250
/* Of a rational function for the logarithm around sqrt(sqrt(1/2)); r = sqrt(sqrt(2)). */
#define ALPHA_N 117049297  /* 11/240 r */
#define ALPHA_D 127690142  /* r / 20 */
#define ALPHA_I 1057819769 /* 2/r - r */
#define ALPHA_F 638450708  /* r / 4 */

#define OUTPUT_SHIFT 22
#define OUTPUT_ZERO_POINT 127

static int32_t leading_zeros(uint32_t value)
{
    int32_t count = 0;
    while ((value >> 31) == 0) {
        value <<= 1;
        count += 1;
    }
    return count;
}

/* value * 2^bits, saturated; value >= 0. */
static int32_t shifted(int32_t value, int32_t bits)
{
    return value > INT32_MAX >> bits ? INT32_MAX : value << bits;
}

/* value / 2^bits, halves away from zero. */
static int32_t divided(int32_t value, int32_t bits)
{
    return (value + (1 << (bits - 1)) + (value >> 31)) >> bits;
}

#define MULTIPLY mcu_doubling_high_multiply

/* The logarithm of a sum (12 integer bits, 1 or more), with 5 integer bits. */
static int32_t logarithm(int32_t sum)
{
    const int32_t zeros = leading_zeros((uint32_t)sum);
    const int32_t r_a = shifted(MULTIPLY(shifted(sum, zeros - 1), Q0_SQRT_HALF), 1);
    const int32_t power_a = (SUM_INTEGER_BITS - zeros) * (1 << Q6_FRACTION_BITS) + Q6_QUARTER;
    const int32_t headroom = leading_zeros((uint32_t)MULTIPLY(sum, Q0_SQRT_HALF)) - 1;
    const int32_t r_b = shifted(sum, headroom);
    const int32_t power_b = (SUM_INTEGER_BITS - headroom) * (1 << Q6_FRACTION_BITS) - Q6_QUARTER;
    const int32_t r = r_a < r_b ? r_a : r_b;
    const int32_t power = power_a > power_b ? power_a : power_b;
    const int32_t p = (int32_t)(((uint32_t)r + (uint32_t)Q0_SQRT_SQRT_HALF + 1u) >> 1);
    const int32_t q = (r - Q0_SQRT_SQRT_HALF) * 2;
    const int32_t size = q < 0 ? -q : q;
    const int32_t square = MULTIPLY(size, size);
    const int32_t numerator = MULTIPLY(q, r) + MULTIPLY(MULTIPLY(q, square), ALPHA_N);
    const int32_t denominator = MULTIPLY(ALPHA_I + q + MULTIPLY(square, ALPHA_D), p) + MULTIPLY(q, ALPHA_F);
    const int32_t fraction = MULTIPLY(divided(numerator, 6), mcu_reciprocal_of_one_plus(denominator));
    const int32_t value = MULTIPLY(power, Q0_LOG_2) + fraction;
    return value < 0 ? value * 2 : shifted(value, 1);
}

static void log_softmax(int8_t *output, const int8_t *input, const struct mcu_log_softmax *p)
{
    const int8_t *const end = input + p->depth;
    int32_t largest = INT8_MIN;
    for (const int8_t *value = input; value != end; ++value) {
        largest = *value > largest ? *value : largest;
    }
    int32_t sum = 0;
    for (const int8_t *value = input; value != end; ++value) {
        const uint32_t difference = (uint32_t)(largest - *value);
        if (difference < p->entries) {
            const uint32_t rounded = (uint32_t)p->exponentials[difference] + (1u << (SUM_INTEGER_BITS - 1));
            sum += (int32_t)(rounded >> SUM_INTEGER_BITS);
        }
    }
    const int32_t log_sum = logarithm(sum);
    const int32_t reached = mcu_requantize_twice(log_sum + INT32_MIN, p->reverse_multiplier, p->reverse_right);
    const int32_t least = reached > p->least ? reached : p->least;
    while (input != end) {
        const int32_t difference = *input++ - largest;
        int32_t value = INT8_MIN;
        if (difference > least) {
            value = divided(p->differences[-difference] - log_sum, OUTPUT_SHIFT) + OUTPUT_ZERO_POINT;
        }
        *output++ = (int8_t)mcu_clamp(value, INT8_MIN, INT8_MAX);
    }
}

void mcu_log_softmax_s8(int8_t *output, const int8_t *input, const struct mcu_log_softmax *parameters)
{
    for (uint32_t row = 0; row < parameters->rows; ++row) {
        log_softmax(output, input, parameters);
        output += parameters->depth;
        input += parameters->depth;
    }
}
