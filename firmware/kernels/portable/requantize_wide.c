#include "mcu_requantize_wide.h"

#include "mcu_requantize.h"

static int32_t requantized(int32_t value, const struct mcu_requantize *p, int32_t limit)
{
    const int32_t scaled = mcu_requantize_twice(value - p->in_zero_point, p->multiplier, p->right);
    return mcu_clamp(scaled + p->out_zero_point, -limit - 1, limit);
}

void mcu_requantize_s16_s8(int8_t *output, const int16_t *input, const struct mcu_requantize *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        output[i] = (int8_t)requantized(input[i], parameters, INT8_MAX);
    }
}

void mcu_requantize_s8_s16(int16_t *output, const int8_t *input, const struct mcu_requantize *parameters, size_t count)
{
    /* From the end, so that no byte is overwritten before it was read where both start at the same place. */
    while (count-- != 0) {
        output[count] = (int16_t)requantized(input[count], parameters, INT16_MAX);
    }
}

void mcu_requantize_s16_s16(int16_t *output, const int16_t *input, const struct mcu_requantize *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        output[i] = (int16_t)requantized(input[i], parameters, INT16_MAX);
    }
}

void mcu_requantize_s8_s32(int32_t *output, const int8_t *input, const struct mcu_requantize *parameters, size_t count)
{
    while (count-- != 0) {
        output[count] = requantized(input[count], parameters, INT32_MAX);
    }
}

void mcu_requantize_s16_s32(int32_t *output, const int16_t *input, const struct mcu_requantize *parameters, size_t count)
{
    while (count-- != 0) {
        output[count] = requantized(input[count], parameters, INT32_MAX);
    }
}

/* mcu_requantize_twice for every value: a quotient is rounded by what is left over, so that nothing is added before. */
static int32_t from_int32(int32_t value, const struct mcu_requantize *p, int32_t limit)
{
    const uint32_t centred = (uint32_t)value - (uint32_t)p->in_zero_point;
    int32_t scaled = mcu_doubling_high_multiply((int32_t)(p->right < 0 ? centred << -p->right : centred), p->multiplier);
    if (p->right > 0) {
        const int32_t mask = (int32_t)((1u << p->right) - 1u);
        const int32_t left_over = scaled & mask;
        scaled = (scaled >> p->right) + (left_over > (mask >> 1) + (scaled < 0));
    }
    return mcu_clamp((int32_t)((uint32_t)scaled + (uint32_t)p->out_zero_point), -limit - 1, limit);
}

void mcu_requantize_s32_s8(int8_t *output, const int32_t *input, const struct mcu_requantize *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        output[i] = (int8_t)from_int32(input[i], parameters, INT8_MAX);
    }
}

void mcu_requantize_s32_s16(int16_t *output, const int32_t *input, const struct mcu_requantize *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        output[i] = (int16_t)from_int32(input[i], parameters, INT16_MAX);
    }
}
