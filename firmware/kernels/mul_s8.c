#include "mcu_broadcast.h"

void mcu_mul_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_mul *parameters) {
    const struct mcu_mul *const p = parameters;
    const uint32_t first_step = p->broadcast.step[0];
    const uint32_t second_step = p->broadcast.step[1];
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        const int8_t *a = first + walk.at[0];
        const int8_t *b = second + walk.at[1];
        int8_t *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t product = (*a - p->zero_point[0]) * (*b - p->zero_point[1]);
            const int32_t value = mcu_requantize_twice(product, p->multiplier, p->right);
            *output++ = (int8_t)mcu_clamp(value + p->out_zero_point, p->minimum, p->maximum);
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
