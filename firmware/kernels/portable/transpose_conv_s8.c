#include "mcu_transpose_conv.h"

enum { COUNT, FIRST, MET, PLACE };

/* The products of one output position, added to `sums`. */
static void add_products(int32_t *sums, const int8_t *image, const int16_t *row, const int16_t *column,
                         const struct mcu_transpose_conv *p)
{
    const int32_t channels = p->in_channels;
    const int32_t filter_size = p->kernel_height * p->kernel_width * channels;
    for (int32_t i = 0; i < row[COUNT]; ++i) {
        for (int32_t j = 0; j < column[COUNT]; ++j) {
            const int32_t y = row[FIRST] + i * p->stride_height;
            const int32_t x = column[FIRST] + j * p->stride_width;
            const int8_t *filter = p->filter + (y * p->kernel_width + x) * channels;
            const int8_t *const pixel = image + ((row[MET] - i) * p->in_width + column[MET] - j) * channels;
            for (int32_t c = 0; c < p->out.channels; ++c) {
                int32_t sum = sums[c];
                for (int32_t k = 0; k < channels; ++k) {
                    sum += (pixel[k] - p->in_zero_point) * filter[k];
                }
                sums[c] = sum;
                filter += filter_size;
            }
        }
    }
}

void mcu_transpose_conv_s8(int8_t *output, const int8_t *input, const struct mcu_transpose_conv *parameters,
                           int32_t *sums)
{
    const struct mcu_transpose_conv *const p = parameters;
    for (uint32_t b = 0; b < p->batches; ++b) {
        for (uint32_t y = 0; y < p->out_height; ++y) {
            for (uint32_t x = 0; x < p->out_width; ++x) {
                for (uint32_t c = 0; c < p->out.channels; ++c) {
                    sums[c] = p->out.bias[c];
                }
                add_products(sums, input, p->rows + y * PLACE, p->columns + x * PLACE, p);
                mcu_finish_channels(output, sums, &p->out, 0, p->out.channels);
                output += p->out.channels;
            }
        }
        input += p->in_height * p->in_width * p->in_channels;
    }
}
