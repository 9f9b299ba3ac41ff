/* The text of the kernels of MUL: KERNEL is the name of one, ELEMENT the type of its elements. */
#include "mcu_broadcast.h"

void KERNEL(ELEMENT *output, const ELEMENT *first, const ELEMENT *second, const struct mcu_mul *parameters)
{
    const struct mcu_mul *const p = parameters;
    const int32_t first_zero_point = p->zero_point[0];
    const int32_t second_zero_point = p->zero_point[1];
    const int32_t multiplier = p->multiplier;
    const int32_t right = p->right;
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
            const int32_t product = (*a - first_zero_point) * (*b - second_zero_point);
            const int32_t value = mcu_requantize_twice(product, multiplier, right) + zero_point;
            *output++ = (ELEMENT)mcu_clamp(value, minimum, maximum);
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
