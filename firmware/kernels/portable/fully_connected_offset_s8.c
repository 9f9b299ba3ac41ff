#include "mcu_fully_connected_offset.h"

#include "mcu_dot.h"
#include "mcu_requantize.h"

/* What the filter's zero point takes from every sum of a row: it meets the row's inputs, whatever the unit. */
static int32_t taken(const int8_t *input, int32_t depth, int32_t filter_zero_point)
{
    int32_t sum = 0;
    for (int32_t k = 0; k < depth; ++k) {
        sum += input[k];
    }
    return sum * filter_zero_point;
}

void mcu_fully_connected_offset_s8(int8_t *output, const int8_t *input,
                                   const struct mcu_fully_connected_offset *parameters)
{
    const struct mcu_fully_connected *const p = &parameters->dense;
    const int32_t depth = (int32_t)p->depth;
    const int32_t units = (int32_t)p->units;
    int32_t sums[4];
    for (uint32_t row = 0; row < p->rows; ++row) {
        const int32_t less = taken(input, depth, parameters->filter_zero_point);
        const int8_t *filter = p->filter;
        int32_t count;
        for (int32_t unit = 0; unit < units; unit += count) {
            count = units - unit >= 4 ? 4 : 1;
            if (count == 4) {
                mcu_dot_4(sums, p->bias + unit, input, filter, depth);
            } else {
                sums[0] = mcu_dot_1(p->bias[unit], input, filter, depth);
            }
            filter += count * depth;
            for (int32_t i = 0; i < count; ++i) {
                const int32_t k = (unit + i) * p->unit_step;
                const int32_t value = mcu_requantize_once(sums[i] - less, p->multiplier[k], p->left[k], p->right[k]);
                *output++ = (int8_t)mcu_clamp(value + p->zero_point, p->minimum, p->maximum);
            }
        }
        input += depth;
    }
}
