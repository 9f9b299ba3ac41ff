#include "mcu_conv_2d.h"

#include "mcu_copy.h"

/* Where each tap of the window at (top, left) reads its first channel, as an offset from `image`: in the image, or in
 * `padding`, which holds the zero point for every channel. */
static void locate(int32_t *taps, const int8_t *image, const struct mcu_window *w, const int8_t *padding, int32_t top,
                   int32_t left)
{
    const int32_t channels = w->in_channels;
    const int32_t height = w->in_height;
    const int32_t width = w->in_width;
    const int32_t outside = (int32_t)(padding - image);
    int32_t y = top;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        int32_t x = left;
        for (int32_t j = 0; j < w->kernel_width; ++j) {
            const int inside = y >= 0 && y < height && x >= 0 && x < width;
            *taps++ = inside ? (y * width + x) * channels : outside;
            x += w->dilation_width;
        }
        y += w->dilation_height;
    }
}

/* All output channels of one position. `value` is where the taps' offsets start from. */
static void convolve(int8_t *output, const int8_t *value, const struct mcu_depthwise_conv_2d *p, const int32_t *taps,
                     const int32_t *end)
{
    const int32_t channels = p->out.channels;
    const int32_t grouped = p->multiplier == 1 ? channels & ~3 : 0;
    const int32_t *bias = p->out.bias;
    const int8_t *filter = p->filter;
    int32_t sums[4];
    int32_t channel = 0;
    while (channel != grouped) {
        int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
        const int32_t *tap = taps;
        do {
            const int8_t *const at = value + *tap;
            s0 += at[0] * filter[0];
            s1 += at[1] * filter[1];
            s2 += at[2] * filter[2];
            s3 += at[3] * filter[3];
            filter += 4;
        } while (++tap != end);
        sums[0] = s0;
        sums[1] = s1;
        sums[2] = s2;
        sums[3] = s3;
        mcu_finish_channels(output + channel, sums, &p->out, channel, 4);
        bias += 4;
        value += 4;
        channel += 4;
    }
    int32_t repeats = p->multiplier;
    while (channel != channels) {
        int32_t sum = *bias++;
        const int32_t *tap = taps;
        do {
            sum += value[*tap] * *filter++;
        } while (++tap != end);
        mcu_finish_channels(output + channel, &sum, &p->out, channel, 1);
        channel += 1;
        repeats -= 1;
        if (repeats == 0) {
            repeats = p->multiplier;
            value += 1;
        }
    }
}

void mcu_depthwise_conv_2d_s8(int8_t *output, const int8_t *input, const struct mcu_depthwise_conv_2d *parameters,
                              uint8_t *scratch)
{
    const struct mcu_window *const w = &parameters->window;
    const int32_t count = w->kernel_height * w->kernel_width;
    int32_t *const taps = (int32_t *)(void *)scratch;
    int8_t *const padding = (int8_t *)(taps + count);
    const int8_t *image = input;
    mcu_fill(padding, parameters->in_zero_point, w->in_channels);
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        int32_t top = -w->pad_top;
        for (int32_t y = 0; y < w->out_height; ++y) {
            int32_t left = -w->pad_left;
            for (int32_t x = 0; x < w->out_width; ++x) {
                locate(taps, image, w, padding, top, left);
                convolve(output, image, parameters, taps, taps + count);
                output += parameters->out.channels;
                left += w->stride_width;
            }
            top += w->stride_height;
        }
        image += w->in_height * w->in_width * w->in_channels;
    }
}
