#include "mcu_arithmetic_s16.h"

#include "mcu_broadcast.h"

/* Operands are scaled up before they meet, so that rounding them costs little. */
#define HEADROOM_BITS 15

/* How an operand is scaled. */
struct operand {
    int32_t zero_point;
    int32_t multiplier;
    int32_t right;
};

MCU_INLINE int32_t scaled(int32_t value, struct operand by)
{
    return mcu_requantize_twice((value - by.zero_point) * (1 << HEADROOM_BITS), by.multiplier, by.right);
}

void mcu_add_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_add *parameters)
{
    const struct mcu_add *const p = parameters;
    const struct operand left = {p->zero_point[0], p->multiplier[0], p->right[0]};
    const struct operand right = {p->zero_point[1], p->multiplier[1], p->right[1]};
    const int32_t sign = p->subtract ? -1 : 1;
    const int32_t multiplier = p->out_multiplier;
    const int32_t shift = p->out_right;
    const int32_t zero_point = p->out_zero_point;
    const int32_t minimum = p->minimum;
    const int32_t maximum = p->maximum;
    const uint32_t first_step = p->broadcast.step[0];
    const uint32_t second_step = p->broadcast.step[1];
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        const int16_t *a = first + walk.at[0];
        const int16_t *b = second + walk.at[1];
        int16_t *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t sum = scaled(*a, left) + sign * scaled(*b, right);
            const int32_t value = mcu_requantize_twice(sum, multiplier, shift) + zero_point;
            *output++ = (int16_t)mcu_clamp(value, minimum, maximum);
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
