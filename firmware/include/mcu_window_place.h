#ifndef MCU_WINDOW_PLACE_H
#define MCU_WINDOW_PLACE_H

#include "mcu_requantize.h"
#include "mcu_window.h"

/* An output position in memory order: the first is {-pad_top, -pad_left, 0}. */
struct mcu_place {
    int32_t top; /* of its window */
    int32_t left;
    int32_t column;
};

MCU_INLINE struct mcu_place mcu_next_place(struct mcu_place at, const struct mcu_window *w)
{
    at.left += w->stride_width;
    at.column += 1;
    if (at.column == w->out_width) {
        at.column = 0;
        at.left = -w->pad_left;
        at.top += w->stride_height;
    }
    return at;
}

#endif
