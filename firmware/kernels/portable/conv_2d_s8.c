#include "mcu_conv_2d.h"

#include "mcu_copy.h"
#include "mcu_dot.h"

/* Copies what the window sees from (top, left) on to `patch`, with the zero point where it looks beyond the image. */
static void gather(int8_t *patch, const int8_t *image, const struct mcu_conv_2d *p, int32_t top, int32_t left)
{
    const struct mcu_window *const w = &p->window;
    const int32_t channels = w->in_channels;
    const int32_t height = w->in_height;
    const int32_t width = w->in_width;
    const int32_t kernel_width = w->kernel_width;
    const int32_t dilation = w->dilation_width;
    const int32_t right = left + (kernel_width - 1) * dilation;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        const int32_t y = top + i * w->dilation_height;
        const int8_t *const row = image + y * width * channels;
        if (y < 0 || y >= height) {
            mcu_fill(patch, p->in_zero_point, (uint32_t)(kernel_width * channels));
            patch += kernel_width * channels;
        } else if (dilation == 1 && left >= 0 && right < width) {
            mcu_copy(patch, row + left * channels, (uint32_t)(kernel_width * channels));
            patch += kernel_width * channels;
        } else {
            for (int32_t x = left; x <= right; x += dilation) {
                if (x < 0 || x >= width) {
                    mcu_fill(patch, p->in_zero_point, (uint32_t)channels);
                } else {
                    mcu_copy(patch, row + x * channels, (uint32_t)channels);
                }
                patch += channels;
            }
        }
    }
}

/* All output channels of one position. */
static void convolve(int8_t *output, const int8_t *input, const struct mcu_conv_2d *p, int32_t taps)
{
    const int32_t channels = p->out.channels;
    const int32_t grouped = channels & ~3;
    const int32_t *bias = p->out.bias;
    const int8_t *filter = p->filter;
    int32_t sums[4];
    int32_t channel = 0;
    while (channel != grouped) {
        mcu_dot_4(sums, bias + channel, input, filter, taps);
        mcu_finish_channels(output + channel, sums, &p->out, channel, 4);
        filter += 4 * taps;
        channel += 4;
    }
    while (channel != channels) {
        sums[0] = mcu_dot_1(bias[channel], input, filter, taps);
        mcu_finish_channels(output + channel, sums, &p->out, channel, 1);
        filter += taps;
        channel += 1;
    }
}

void mcu_conv_2d_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d *parameters, int8_t *patch)
{
    const struct mcu_window *const w = &parameters->window;
    const int32_t channels = w->in_channels;
    const int32_t taps = w->kernel_height * w->kernel_width * channels;
    const int8_t *image = input;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        int32_t top = -w->pad_top;
        for (int32_t y = 0; y < w->out_height; ++y) {
            int32_t left = -w->pad_left;
            for (int32_t x = 0; x < w->out_width; ++x) {
                const int8_t *window = patch;
                if (patch) {
                    gather(patch, image, parameters, top, left);
                } else {
                    window = image + (top * w->in_width + left) * channels;
                }
                convolve(output, window, parameters, taps);
                output += parameters->out.channels;
                left += w->stride_width;
            }
            top += w->stride_height;
        }
        image += w->in_height * w->in_width * channels;
    }
}
