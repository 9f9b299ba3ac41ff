#ifndef MCU_RESIZE_NEAREST_H
#define MCU_RESIZE_NEAREST_H

#include <stdint.h>

struct mcu_resize_nearest {
    uint32_t images; /* batch size */
    uint32_t input_image_bytes;
    uint32_t input_row_bytes;
    uint32_t pixel_bytes;
    uint32_t output_height;
    uint32_t output_width;
    const int16_t *rows;    /* [output_height], the input row of each output row */
    const int16_t *columns; /* [output_width], likewise */
};

/* RESIZE_NEAREST_NEIGHBOR on NHWC data of any element type. */
void mcu_resize_nearest(void *output, const void *input, const struct mcu_resize_nearest *parameters);

#endif
