#include "mcu_functions_s16.h"

#include "mcu_requantize.h"

void mcu_slopes_s16(int16_t *output, const int16_t *input, const struct mcu_slopes_s16 *parameters, size_t count)
{
    const struct mcu_slopes_s16 *const p = parameters;
    for (size_t i = 0; i < count; ++i) {
        const int32_t below = input[i] < 0;
        const int32_t value = mcu_requantize_twice(input[i], p->multiplier[below], p->right[below]);
        output[i] = (int16_t)mcu_clamp(below ? value * p->sign : value, p->minimum, p->maximum);
    }
}
