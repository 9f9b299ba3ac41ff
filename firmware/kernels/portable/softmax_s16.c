#include "mcu_functions_s16.h"

#include "mcu_requantize.h"

/* `value` looked up among 513 points, of which 128 steps lie between two. */
static int32_t looked_up(int32_t value, const int16_t *table)
{
    const int16_t *const at = table + 256 + (value >> 7);
    return at[0] + (((at[1] - at[0]) * (value & 0x7f) + 64) >> 7);
}

static int32_t exponential(int32_t difference, const struct mcu_softmax_s16 *p)
{
    const int32_t scaled = mcu_requantize_twice(difference, p->multiplier, p->right) + INT16_MAX;
    return looked_up(mcu_clamp(scaled, INT16_MIN, INT16_MAX), p->exponentials);
}

static void softmax(int16_t *output, const int16_t *input, const struct mcu_softmax_s16 *p)
{
    int32_t largest = INT16_MIN;
    int32_t sum = 0;
    for (uint32_t i = 0; i < p->depth; ++i) {
        largest = input[i] > largest ? input[i] : largest;
    }
    for (uint32_t i = 0; i < p->depth; ++i) {
        output[i] = (int16_t)exponential(input[i] - largest, p);
        sum += output[i];
    }
    int32_t zeros = 0;
    while (((uint32_t)sum << zeros >> 31) == 0) {
        zeros += 1;
    }
    /* The sum with its first bit in place 30, cut off to 17 bits, rounding halves up. */
    const int32_t one_to_two = (int32_t)((((uint32_t)sum << (zeros - 1)) + (1u << 13)) >> 14);
    const int32_t place = mcu_clamp(one_to_two - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
    const int32_t scale = looked_up(place, p->reciprocals);
    const int32_t right = 31 - zeros;
    for (uint32_t i = 0; i < p->depth; ++i) {
        output[i] = (int16_t)mcu_clamp((output[i] * scale + (1 << (right - 1))) >> right, 0, INT16_MAX);
    }
}

void mcu_softmax_s16(int16_t *output, const int16_t *input, const struct mcu_softmax_s16 *parameters)
{
    for (uint32_t row = 0; row < parameters->rows; ++row) {
        softmax(output, input, parameters);
        output += parameters->depth;
        input += parameters->depth;
    }
}
