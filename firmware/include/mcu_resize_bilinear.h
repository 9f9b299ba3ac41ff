#ifndef MCU_RESIZE_BILINEAR_H
#define MCU_RESIZE_BILINEAR_H

#include <stdint.h>

/* Where an output row or column lies among the input's is three numbers: between `lower` and `upper`, `part` / 1024 of the
 * way. `part` may lie outside of [0, 1024] where the two are the same. */
struct mcu_resize_bilinear {
    uint32_t images; /* batch size */
    uint32_t input_height;
    uint32_t input_width;
    uint32_t channels;
    uint32_t output_height;
    uint32_t output_width;
    const int16_t *rows;    /* [output_height][3]: lower, upper, part */
    const int16_t *columns; /* [output_width][3], likewise */
};

/* RESIZE_BILINEAR, int8 NHWC, with weights of 10 bits each way; halves are rounded away from zero. */
void mcu_resize_bilinear_s8(int8_t *output, const int8_t *input, const struct mcu_resize_bilinear *parameters);

/* The same of int16. */
void mcu_resize_bilinear_s16(int16_t *output, const int16_t *input, const struct mcu_resize_bilinear *parameters);

/* Between rows and columns `lower` and `upper`, `part` of the way. */
struct mcu_resize_bilinear_real {
    uint32_t images; /* batch size */
    uint32_t input_height;
    uint32_t input_width;
    uint32_t channels;
    uint32_t output_height;
    uint32_t output_width;
    const int16_t *rows;       /* [output_height][2]: lower, upper */
    const int16_t *columns;    /* [output_width][2], likewise */
    const float *row_parts;    /* [output_height] */
    const float *column_parts; /* [output_width] */
};

/* RESIZE_BILINEAR of models that were uint8, in float32; inputs and outputs are 128 less. */
void mcu_resize_bilinear_real_s8(int8_t *output, const int8_t *input, const struct mcu_resize_bilinear_real *parameters);

#endif
