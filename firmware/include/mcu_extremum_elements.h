/* The text of the kernels of MAXIMUM and MINIMUM: KERNEL is the name of one, ELEMENT the type of its elements, BEYOND
 * the comparison that lets the first operand win. */
#include "mcu_broadcast.h"

void KERNEL(ELEMENT *output, const ELEMENT *first, const ELEMENT *second, const struct mcu_broadcast *broadcast)
{
    const uint32_t first_step = broadcast->step[0];
    const uint32_t second_step = broadcast->step[1];
    struct mcu_walk walk;
    mcu_walk_begin(&walk, broadcast);
    do {
        const ELEMENT *a = first + walk.at[0];
        const ELEMENT *b = second + walk.at[1];
        ELEMENT *const end = output + broadcast->length;
        while (output != end) {
            *output++ = *a BEYOND * b ? *a : *b;
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, broadcast));
}
