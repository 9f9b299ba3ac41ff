#ifndef MCU_POOL_2D_H
#define MCU_POOL_2D_H

#include "mcu_window.h"

/* Input and output have one quantization. Positions outside the image take no part. */
struct mcu_pool_2d {
    struct mcu_window window; /* dilation is not used */
    int16_t minimum;
    int16_t maximum;
};

/* AVERAGE_POOL_2D, int8: the mean rounded to the nearest, halves away from zero. */
void mcu_average_pool_2d_s8(int8_t *output, const int8_t *input, const struct mcu_pool_2d *parameters);

/* MAX_POOL_2D, int8. */
void mcu_max_pool_2d_s8(int8_t *output, const int8_t *input, const struct mcu_pool_2d *parameters);

/* AVERAGE_POOL_2D as of uint8: the mean rounded to the nearest, halves up. */
void mcu_average_pool_2d_halves_up_s8(int8_t *output, const int8_t *input, const struct mcu_pool_2d *parameters);

#endif
