#include "mcu_elementwise.h"

#include "mcu_broadcast.h"

enum { HEADROOM_BITS = 7 };

void mcu_squared_difference_s8(int8_t *output, const int8_t *first, const int8_t *second,
                               const struct mcu_squared_difference *parameters)
{
    const struct mcu_squared_difference *const p = parameters;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        const int8_t *a = first + walk.at[0];
        const int8_t *b = second + walk.at[1];
        int8_t *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t left = (*a - p->zero_point[0]) * (1 << HEADROOM_BITS);
            const int32_t right = (*b - p->zero_point[1]) * (1 << HEADROOM_BITS);
            const int32_t difference = mcu_requantize_twice(left, p->multiplier[0], p->right[0]) -
                                       mcu_requantize_twice(right, p->multiplier[1], p->right[1]);
            const int32_t square = mcu_requantize_twice(difference * difference, p->out_multiplier, p->out_right);
            *output++ = (int8_t)mcu_clamp(square + p->out_zero_point, p->minimum, p->maximum);
            a += p->broadcast.step[0];
            b += p->broadcast.step[1];
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
