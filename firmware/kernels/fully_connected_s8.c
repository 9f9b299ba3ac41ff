#include "mcu_fully_connected.h"

#include "mcu_dot.h"

void mcu_fully_connected_s8(int8_t *output, const int8_t *input, const struct mcu_fully_connected *parameters) {
    const struct mcu_fully_connected *const p = parameters;
    const int32_t depth = (int32_t)p->depth;
    const int32_t units = (int32_t)p->units;
    const int32_t step = p->unit_step;
    for (uint32_t row = 0; row < p->rows; ++row) {
        const int8_t *filter = p->filter;
        const int32_t *bias = p->bias;
        const int32_t *multiplier = p->multiplier;
        const int8_t *left = p->left;
        const int8_t *right = p->right;
        int32_t group = 4;
        for (int32_t unit = 0; unit < units; unit += group) {
            int32_t sums[4];
            if (units - unit >= 4) {
                sums[0] = bias[0];
                sums[1] = bias[1];
                sums[2] = bias[2];
                sums[3] = bias[3];
                mcu_dot_4(sums, input, filter, depth);
            } else {
                group = 1;
                sums[0] = mcu_dot_1(bias[0], input, filter, depth);
            }
            filter += group * depth;
            bias += group;
            for (int32_t i = 0; i < group; ++i) {
                const int32_t value = mcu_requantize_once(sums[i], *multiplier, *left, *right) + p->zero_point;
                *output++ = mcu_clamp(value, p->minimum, p->maximum);
                multiplier += step;
                left += step;
                right += step;
            }
        }
        input += depth;
    }
}
