#include "mcu_transpose_conv.h"

enum { COUNT, FIRST, MET, PLACE };

/* The products of one pixel with the filters of four channels, `step` apart, added to `sums`: a pixel is read for every four. */
static void add_four(int32_t *sums, const int8_t *pixel, const int8_t *filter, int32_t step,
                     const struct mcu_transpose_conv *p)
{
    const int8_t *const end = pixel + p->in_channels;
    const int32_t zero_point = p->in_zero_point;
    const int8_t *third = filter + 2 * step;
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    while (pixel != end) {
        const int32_t value = *pixel++ - zero_point;
        s0 += value * filter[0];
        s1 += value * filter[step];
        s2 += value * third[0];
        s3 += value * third[step];
        filter += 1;
        third += 1;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

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
            int32_t c = 0;
            for (; c + 4 <= p->out.channels; c += 4) {
                add_four(sums + c, pixel, filter, filter_size, p);
                filter += 4 * filter_size;
            }
            for (; c < p->out.channels; ++c) {
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
