#include "mcu_conv_2d_s16.h"

#include "mcu_long_sums.h"

/* The products of one output position and channel. */
static int64_t products(const int16_t *image, const int8_t *filter, const struct mcu_conv_2d_s16 *p, int32_t top,
                        int32_t left)
{
    const struct mcu_window *const w = &p->window;
    const int32_t depth = p->depth;
    int64_t sum = 0;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        const int32_t y = top + i * w->dilation_height;
        for (int32_t j = 0; j < w->kernel_width; ++j) {
            const int32_t x = left + j * w->dilation_width;
            if (y >= 0 && y < w->in_height && x >= 0 && x < w->in_width) {
                sum += mcu_long_dot(image + (y * w->in_width + x) * w->in_channels, filter, depth);
            }
            filter += depth;
        }
    }
    return sum;
}

static void convolve(int16_t *output, const int16_t *image, const struct mcu_conv_2d_s16 *p, int32_t top, int32_t left)
{
    const int32_t taps = p->window.kernel_height * p->window.kernel_width * p->depth;
    const int8_t *filter = p->filter;
    int32_t repeats = p->multiplier;
    for (int32_t c = 0; c < p->channels; ++c) {
        const int32_t number = c * p->channel_step;
        const int64_t sum = p->bias[c] + products(image, filter, p, top, left);
        const int32_t value = p->twice ? mcu_requantize_twice((int32_t)sum, p->factor[number], p->right[number])
                                       : mcu_requantize_long(sum, p->factor[number], p->right[number]);
        *output++ = (int16_t)mcu_clamp(value, p->minimum, p->maximum);
        filter += taps;
        if (repeats != 0 && --repeats == 0) {
            repeats = p->multiplier;
            image += 1;
        }
    }
}

void mcu_conv_2d_s16(int16_t *output, const int16_t *input, const struct mcu_conv_2d_s16 *parameters)
{
    const struct mcu_window *const w = &parameters->window;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        for (int32_t y = 0; y < w->out_height; ++y) {
            for (int32_t x = 0; x < w->out_width; ++x) {
                convolve(output, input, parameters, y * w->stride_height - w->pad_top,
                         x * w->stride_width - w->pad_left);
                output += parameters->channels;
            }
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}
