#include "mcu_fully_connected_s16.h"

#include "mcu_long_sums.h"

void mcu_fully_connected_s16(int16_t *output, const int16_t *input, const struct mcu_fully_connected_s16 *parameters)
{
    const struct mcu_fully_connected_s16 *const p = parameters;
    for (uint32_t row = 0; row < p->rows; ++row) {
        const int8_t *filter = p->filter;
        for (int32_t unit = 0; unit < (int32_t)p->units; ++unit) {
            const int32_t number = unit * p->unit_step;
            int64_t sum = p->bias[unit] + mcu_long_dot(input, filter, (int32_t)p->depth);
            sum = sum > p->limit ? p->limit : sum;
            sum = sum < -p->limit ? -p->limit : sum;
            const int32_t value = mcu_requantize_long_once(sum, p->factor + 3 * number, p->right[number]);
            *output++ = (int16_t)mcu_clamp(value, p->minimum, p->maximum);
            filter += p->depth;
        }
        input += p->depth;
    }
}
