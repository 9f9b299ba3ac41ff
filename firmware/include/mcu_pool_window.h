/* The part of a pooling window that lies in the image, for the kernels that include it. */
#ifndef MCU_POOL_WINDOW_H
#define MCU_POOL_WINDOW_H

#include "mcu_pool_2d.h"
#include "mcu_requantize.h"

/* `rows` x `columns` positions, the first of which is `first` elements into the image. */
struct mcu_pool_window {
    int32_t first;
    int32_t rows;
    int32_t columns;
};

/* The window whose upper left corner is at (top, left), cut off at the image's borders. */
MCU_INLINE struct mcu_pool_window mcu_pool_window(const struct mcu_window *w, int32_t top, int32_t left)
{
    int32_t bottom = top + w->kernel_height;
    int32_t right = left + w->kernel_width;
    top = top < 0 ? 0 : top;
    left = left < 0 ? 0 : left;
    bottom = bottom > w->in_height ? w->in_height : bottom;
    right = right > w->in_width ? w->in_width : right;
    const struct mcu_pool_window window = {
        (top * w->in_width + left) * w->in_channels,
        bottom - top,
        right - left,
    };
    return window;
}

#endif
