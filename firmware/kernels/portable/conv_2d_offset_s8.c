#include "mcu_conv_2d_offset.h"

/* The products of one output position and channel. */
static int32_t products(const int8_t *image, const int8_t *filter, const struct mcu_conv_2d_offset *p, int32_t top,
                        int32_t left)
{
    const struct mcu_window *const w = &p->window;
    int32_t sum = 0;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        const int32_t y = top + i * w->dilation_height;
        for (int32_t j = 0; j < w->kernel_width; ++j) {
            const int32_t x = left + j * w->dilation_width;
            if (y >= 0 && y < w->in_height && x >= 0 && x < w->in_width) {
                const int8_t *const pixel = image + (y * w->in_width + x) * w->in_channels;
                for (int32_t k = 0; k < p->depth; ++k) {
                    sum += (pixel[k] - p->in_zero_point) * (filter[k] - p->filter_zero_point);
                }
            }
            filter += p->depth;
        }
    }
    return sum;
}

void mcu_conv_2d_offset_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_offset *parameters)
{
    const struct mcu_conv_2d_offset *const p = parameters;
    const struct mcu_window *const w = &p->window;
    const int32_t taps = w->kernel_height * w->kernel_width * p->depth;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        for (int32_t y = 0; y < w->out_height; ++y) {
            for (int32_t x = 0; x < w->out_width; ++x) {
                const int32_t top = y * w->stride_height - w->pad_top;
                const int32_t left = x * w->stride_width - w->pad_left;
                const int8_t *image = input;
                int32_t repeats = p->multiplier;
                for (int32_t c = 0; c < p->out.channels; ++c) {
                    const int32_t sum = p->out.bias[c] + products(image, p->filter + c * taps, p, top, left);
                    mcu_finish_channels(output++, &sum, &p->out, c, 1);
                    if (repeats != 0 && --repeats == 0) {
                        repeats = p->multiplier;
                        image += 1;
                    }
                }
            }
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}
