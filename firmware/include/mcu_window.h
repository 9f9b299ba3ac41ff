/* Where a window that moves over an image lies: convolutions and pooling. */
#ifndef MCU_WINDOW_H
#define MCU_WINDOW_H

#include <stdint.h>

/* An NHWC input, an output of `out_height` x `out_width` positions, and the window that makes one from the other.
 * Output (y, x) looks at input rows y * stride_height - pad_top + i * dilation_height, i < kernel_height, likewise
 * columns; positions outside the input count as the input's zero point.
 *
 * Kernels with a window write output positions in memory order, all channels of one and then the next, and once they
 * write into a position they read no window before its own. So the output may overlap the input from below, as long as no
 * position's outputs reach what its own window or a later one still reads. */
struct mcu_window {
    uint16_t batches;
    uint16_t in_height;
    uint16_t in_width;
    uint16_t in_channels;
    uint16_t out_height;
    uint16_t out_width;
    uint16_t kernel_height;
    uint16_t kernel_width;
    uint16_t stride_height;
    uint16_t stride_width;
    uint16_t dilation_height;
    uint16_t dilation_width;
    uint16_t pad_top;
    uint16_t pad_left;
};

#endif
