/* An image seen as lines of positions that are run along, for depthwise kernels: lines are rows or columns. */
#ifndef MCU_AXIS_H
#define MCU_AXIS_H

#include <stdint.h>

/* One axis of the image and of its window. Steps are in elements from one position to the next. */
struct mcu_axis {
    uint16_t in_size;
    uint16_t out_size;
    uint16_t in_step;
    uint16_t out_step;
    uint16_t kernel;
    uint16_t stride;
    uint16_t padding; /* positions before the first of the image that windows reach */
};

#endif
