#include "mcu_elementwise.h"

#include "mcu_broadcast.h"

void mcu_prelu_s8(int8_t *output, const int8_t *input, const int8_t *slopes, const struct mcu_prelu *parameters)
{
    const struct mcu_prelu *const p = parameters;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        const int8_t *a = input + walk.at[0];
        const int8_t *b = slopes + walk.at[1];
        int8_t *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t value = *a - p->zero_point[0];
            const int32_t product = value >= 0 ? value : value * (*b - p->zero_point[1]);
            const int32_t scaled = mcu_requantize_twice(product, p->multiplier[value < 0], p->right[value < 0]);
            *output++ = (int8_t)mcu_clamp(scaled + p->out_zero_point, INT8_MIN, INT8_MAX);
            a += p->broadcast.step[0];
            b += p->broadcast.step[1];
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
