#include "mcu_arithmetic_s16.h"

#include "mcu_broadcast.h"

/* value / 2^right, halves away from zero. */
static int32_t divided(int32_t value, int32_t right)
{
    return (value + (int32_t)((1u << right) >> 1) - (right != 0 && value < 0)) >> right;
}

void mcu_add_powers_s16(int16_t *output, const int16_t *first, const int16_t *second,
                        const struct mcu_add_powers *parameters)
{
    const struct mcu_add_powers *const p = parameters;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->broadcast);
    do {
        const int16_t *a = first + walk.at[0];
        const int16_t *b = second + walk.at[1];
        int16_t *const end = output + p->broadcast.length;
        while (output != end) {
            const int32_t left = divided(*a, p->right[0]);
            const int32_t right = divided(*b, p->right[1]);
            *output++ = (int16_t)mcu_clamp(p->subtract ? left - right : left + right, p->minimum, p->maximum);
            a += p->broadcast.step[0];
            b += p->broadcast.step[1];
        }
    } while (mcu_walk_next(&walk, &p->broadcast));
}
