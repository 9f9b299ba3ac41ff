#ifndef MCU_CONV_2D_H
#define MCU_CONV_2D_H

#include "mcu_channels.h"
#include "mcu_window.h"

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
