#ifndef MCU_TRANSPOSE_CONV_H
#define MCU_TRANSPOSE_CONV_H

#include "mcu_channels.h"

/* `filter` [out.channels][kernel_height][kernel_width][in_channels]. For every output row three numbers in `rows`: how many filter
 * rows meet an input row there, the first of these filter rows, and the input row that it meets; the next ones are a stride
 * further in the filter and one less in the input. `columns` likewise. `out.bias` is the layer's own: the input's zero point
 * (`in_zero_point`) is taken off every input. */
struct mcu_transpose_conv {
    struct mcu_channels out;
    const int8_t *filter;
    const int16_t *rows;
    const int16_t *columns;
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
    int16_t in_zero_point;
};

/* TRANSPOSE_CONV, int8 NHWC, rounding twice. `sums` has one element an output channel. */
void mcu_transpose_conv_s8(int8_t *output, const int8_t *input, const struct mcu_transpose_conv *parameters,
                           int32_t *sums);

/* The same of int16: no zero points. `bias`, `factor`, `right`, `channel_step` and `twice` as in mcu_conv_2d_s16.h. */
struct mcu_transpose_conv_s16 {
    const int8_t *filter;
    const int64_t *bias;
    const int32_t *factor;
    const int8_t *right;
    const int16_t *rows;
    const int16_t *columns;
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
    uint16_t channels;
    uint16_t channel_step;
    int16_t minimum;
    int16_t maximum;
    uint8_t twice;
};

/* TRANSPOSE_CONV, int16 NHWC, with filters of int8. */
void mcu_transpose_conv_s16(int16_t *output, const int16_t *input, const struct mcu_transpose_conv_s16 *parameters);

#endif
