/* The loops around an operator of two operands, for the kernels that include it. */
#ifndef MCU_BROADCAST_H
#define MCU_BROADCAST_H

#include "mcu_arithmetic.h"
#include "mcu_requantize.h"

/* Where the walk is: how often each loop has still to turn, and both operands' elements. */
struct mcu_walk {
    int32_t at[2];
    uint16_t left[MCU_BROADCAST_LOOPS];
};

MCU_INLINE void mcu_walk_begin(struct mcu_walk *walk, const struct mcu_broadcast *b)
{
    walk->at[0] = 0;
    walk->at[1] = 0;
    for (int32_t i = 0; i < b->rank; ++i) {
        walk->left[i] = b->loops[i].count;
    }
}

/* Moves on to the next innermost run; 0 after the last one. */
MCU_INLINE int mcu_walk_next(struct mcu_walk *walk, const struct mcu_broadcast *b)
{
    for (int32_t i = b->rank - 1; i >= 0; --i) {
        walk->left[i] -= 1;
        if (walk->left[i] != 0) {
            walk->at[0] += b->loops[i].step[0];
            walk->at[1] += b->loops[i].step[1];
            return 1;
        }
        walk->left[i] = b->loops[i].count;
        walk->at[0] -= (b->loops[i].count - 1) * b->loops[i].step[0];
        walk->at[1] -= (b->loops[i].count - 1) * b->loops[i].step[1];
    }
    return 0;
}

#endif
