#include "mcu_conv_2d.h"

#include "mcu_copy.h"
#include "mcu_requantize.h"

/* Where each tap of the window at (top, left) reads its first channel, as an offset from `image`: in the image, or in
 * `padding`, which holds the zero point for every channel. */
static void locate(int32_t *taps, const int8_t *image, const struct mcu_window *w, const int8_t *padding, int32_t top,
                   int32_t left) {
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

/* All output channels of one position. */
static void convolve(int8_t *output, const int8_t *image, const struct mcu_depthwise_conv_2d *p, const int32_t *taps,
                     int32_t count) {
    const struct mcu_channels *const out = &p->out;
    const int32_t *const end = taps + count;
    const int8_t *filter = p->filter;
    const int32_t *bias = out->bias;
    const int32_t *multiplier = out->multiplier;
    const int8_t *shift = out->shift;
    const int32_t step = out->channel_step;
    const int32_t channels = out->channels;
    int32_t group = p->multiplier == 1 ? 4 : 1;
    int32_t repeats = p->multiplier;
    for (int32_t channel = 0; channel < channels; channel += group) {
        int32_t sums[4];
        if (group == 4 && channels - channel >= 4) {
            int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
            for (const int32_t *tap = taps; tap != end; ++tap) {
                const int8_t *const value = image + *tap;
                s0 += value[0] * filter[0];
                s1 += value[1] * filter[1];
                s2 += value[2] * filter[2];
                s3 += value[3] * filter[3];
                filter += 4;
            }
            sums[0] = s0;
            sums[1] = s1;
            sums[2] = s2;
            sums[3] = s3;
            image += 4;
        } else {
            int32_t sum = bias[0];
            for (const int32_t *tap = taps; tap != end; ++tap) {
                sum += image[*tap] * *filter++;
            }
            sums[0] = sum;
            group = 1;
            repeats -= 1;
            if (repeats == 0) {
                repeats = p->multiplier;
                image += 1;
            }
        }
        bias += group;
        for (int32_t i = 0; i < group; ++i) {
            const int32_t value = mcu_requantize_twice(sums[i], *multiplier, *shift) + out->zero_point;
            *output++ = mcu_clamp(value, out->minimum, out->maximum);
            multiplier += step;
            shift += step;
        }
    }
}

void mcu_depthwise_conv_2d_s8(int8_t *output, const int8_t *input, const struct mcu_depthwise_conv_2d *parameters,
                              uint8_t *scratch) {
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
                convolve(output, image, parameters, taps, count);
                output += parameters->out.channels;
                left += w->stride_width;
            }
            top += w->stride_height;
        }
        image += w->in_height * w->in_width * w->in_channels;
    }
}
