#include "mcu_arithmetic_s16.h"

#include "mcu_broadcast.h"

void mcu_maximum_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_broadcast *broadcast)
{
    const uint32_t first_step = broadcast->step[0];
    const uint32_t second_step = broadcast->step[1];
    struct mcu_walk walk;
    mcu_walk_begin(&walk, broadcast);
    do {
        const int16_t *a = first + walk.at[0];
        const int16_t *b = second + walk.at[1];
        int16_t *const end = output + broadcast->length;
        while (output != end) {
            *output++ = *a > *b ? *a : *b;
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, broadcast));
}

void mcu_minimum_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_broadcast *broadcast)
{
    const uint32_t first_step = broadcast->step[0];
    const uint32_t second_step = broadcast->step[1];
    struct mcu_walk walk;
    mcu_walk_begin(&walk, broadcast);
    do {
        const int16_t *a = first + walk.at[0];
        const int16_t *b = second + walk.at[1];
        int16_t *const end = output + broadcast->length;
        while (output != end) {
            *output++ = *a < *b ? *a : *b;
            a += first_step;
            b += second_step;
        }
    } while (mcu_walk_next(&walk, broadcast));
}
