/* The text of the kernels of ADD and SUB: KERNEL is the name of one, ELEMENT the type of its elements. Operands are
 * scaled up by HEADROOM_BITS before they meet, so that rounding them costs little. */
#include "mcu_broadcast.h"

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

void KERNEL(ELEMENT *output, const ELEMENT *first, const ELEMENT *second, const struct mcu_add *parameters)
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
        const ELEMENT *a = first + walk.at[0];
        const ELEMENT *b = second + walk.at[1];
        ELEMENT *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t sum = scaled(*a, left) + sign * scaled(*b, right);
            const int32_t value = mcu_requantize_twice(sum, multiplier, shift) + zero_point;
            *output++ = (ELEMENT)mcu_clamp(value, minimum, maximum);
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
