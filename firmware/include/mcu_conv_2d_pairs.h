#ifndef MCU_CONV_2D_PAIRS_H
#define MCU_CONV_2D_PAIRS_H

#include "mcu_staircase.h"
#include "mcu_window.h"

/* Output positions that one pass computes. */
#define MCU_CONV_2D_PAIRS_POSITIONS 4

/* `filter`: [output channels][taps], none -128; `taps` is kernel_height * kernel_width * in_channels rounded up to a
 * multiple of 4, with zeros after the last tap. `bias` [output channels] is that of mcu_channels. Channel c climbs
 * number c * step_stride of `steps`. */
struct mcu_conv_2d_pairs {
    struct mcu_window window;
    const int8_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    uint16_t out_channels;
    uint16_t taps;
    uint16_t step_stride;
    int16_t in_zero_point;
    int16_t minimum;
    int16_t maximum;
};

/* CONV_2D, int8, for cores without the DSP extension. `scratch`: 2 * taps words. The windows of a group of 4 positions
 * are read before the group's first output is written. Variants as in mcu_conv_2d_dsp.h. */
void mcu_conv_2d_pairs_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *parameters,
                          int32_t *scratch);
void mcu_conv_2d_pairs_signs_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *parameters,
                                int32_t *scratch);
void mcu_conv_2d_pairs_limits_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *parameters,
                                 int32_t *scratch);

#endif
