#ifndef MCU_CONV_2D_H
#define MCU_CONV_2D_H

#include "mcu_window.h"

/* How sums become outputs: one multiplier and shift a channel, or one for all.
 *
 * `bias` [channels] already contains -input_zero_point * (sum of the channel's filter). Channel c uses multiplier and
 * shift number c * channel_step, channel_step 0 or 1: see mcu_requantize_twice. */
struct mcu_channels {
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    uint16_t channels;
    uint16_t channel_step;
    int16_t zero_point;
    int16_t minimum;
    int16_t maximum;
};

struct mcu_conv_2d {
    struct mcu_window window;
    struct mcu_channels out;
    const int8_t *filter;
    int16_t in_zero_point;
};

/* CONV_2D, int8, rounding twice.
 *
 * `filter`: with K = kernel_height * kernel_width * in_channels taps in that order, first the output channels in groups
 * of four as [channels / 4][K][4], then the remaining ones as [channels % 4][K].
 * `patch`: scratch of K bytes, aligned to 4; 0 where every window is one unbroken run of input bytes inside the image
 * (1x1 kernels, for example), which is then read in place. */
void mcu_conv_2d_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d *parameters, int8_t *patch);

/* DEPTHWISE_CONV_2D, int8, rounding twice. Output channel c reads input channel c / multiplier, where
 * multiplier = out.channels / in_channels, given as `filter_multiplier`.
 *
 * `filter`: with T = kernel_height * kernel_width taps; where multiplier is 1, first the channels in groups of four as
 * [channels / 4][T][4], then the remaining ones as [channels % 4][T]; else [channels][T].
 * `scratch`: 4 * T bytes and then in_channels bytes, aligned to 4. It must lie in the same array as `input`. */
struct mcu_depthwise_conv_2d {
    struct mcu_window window;
    struct mcu_channels out;
    const int8_t *filter;
    int16_t in_zero_point;
    uint16_t multiplier;
};

void mcu_depthwise_conv_2d_s8(int8_t *output, const int8_t *input, const struct mcu_depthwise_conv_2d *parameters,
                              uint8_t *scratch);

#endif
