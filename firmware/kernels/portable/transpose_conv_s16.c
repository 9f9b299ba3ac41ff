#include "mcu_transpose_conv.h"

#include "mcu_long_sums.h"

enum { COUNT, FIRST, MET, PLACE };

/* The products of one output position with the filter of one channel. */
static int64_t products(const int16_t *image, const int8_t *filter, const int16_t *row, const int16_t *column,
                        const struct mcu_transpose_conv_s16 *p)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < row[COUNT]; ++i) {
        for (int32_t j = 0; j < column[COUNT]; ++j) {
            const int32_t y = row[FIRST] + i * p->stride_height;
            const int32_t x = column[FIRST] + j * p->stride_width;
            const int32_t pixel = (row[MET] - i) * p->in_width + column[MET] - j;
            sum += mcu_long_dot(image + pixel * p->in_channels, filter + (y * p->kernel_width + x) * p->in_channels,
                                p->in_channels);
        }
    }
    return sum;
}

void mcu_transpose_conv_s16(int16_t *output, const int16_t *input, const struct mcu_transpose_conv_s16 *parameters)
{
    const struct mcu_transpose_conv_s16 *const p = parameters;
    const int32_t filter_size = p->kernel_height * p->kernel_width * p->in_channels;
    for (int32_t b = 0; b < p->batches; ++b) {
        for (int32_t y = 0; y < p->out_height; ++y) {
            for (int32_t x = 0; x < p->out_width; ++x) {
                const int8_t *filter = p->filter;
                for (int32_t c = 0; c < p->channels; ++c) {
                    const int32_t number = c * p->channel_step;
                    const int64_t sum =
                        p->bias[c] + products(input, filter, p->rows + y * PLACE, p->columns + x * PLACE, p);
                    const int32_t value = p->twice
                                              ? mcu_requantize_twice((int32_t)sum, p->factor[number], p->right[number])
                                              : mcu_requantize_long(sum, p->factor[number], p->right[number]);
                    *output++ = (int16_t)mcu_clamp(value, p->minimum, p->maximum);
                    filter += filter_size;
                }
            }
        }
        input += p->in_height * p->in_width * p->in_channels;
    }
}
