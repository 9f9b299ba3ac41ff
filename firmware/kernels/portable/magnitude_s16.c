#include "mcu_functions_s16.h"

#include "mcu_requantize.h"

void mcu_abs_s16(int16_t *output, const int16_t *input, const struct mcu_abs_s16 *parameters, size_t count)
{
    const struct mcu_abs_s16 *const p = parameters;
    for (size_t i = 0; i < count; ++i) {
        const int32_t magnitude = input[i] < 0 ? -input[i] : input[i];
        const int32_t value =
            p->multiplier != 0 ? mcu_requantize_twice(magnitude, p->multiplier, p->right) : magnitude;
        output[i] = (int16_t)mcu_clamp(value, INT16_MIN, INT16_MAX);
    }
}

void mcu_negate_s16(int16_t *output, const int16_t *input, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        output[i] = (int16_t)-input[i];
    }
}
