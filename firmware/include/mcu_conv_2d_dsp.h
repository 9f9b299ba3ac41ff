#ifndef MCU_CONV_2D_DSP_H
#define MCU_CONV_2D_DSP_H

#include "mcu_staircase.h"
#include "mcu_window.h"

/* The most output positions that one pass computes. */
#define MCU_CONV_2D_DSP_POSITIONS 4

/* A filter of K = kernel_height * kernel_width * in_channels taps is `words` = ceil(K / 4) words, with zeros after the
 * last tap. The bytes of a word, from the lowest: w1, w0 (one more where w1 is negative), w3, w2; as halves w1 + 256 *
 * w0 and w3 + 256 * w2. `filter`: for each pair of output channels, for each word, that of the first channel and that
 * of the second; an odd last channel has zeros beside it. `bias` [output channels, rounded up to even]: 256 times what
 * mcu_channels has, less 127 times the sum of the filter's taps with odd numbers: see conv_2d_s8.c. Channel c climbs
 * number c * step_stride of `steps`, step_stride 0 or 1. */
struct mcu_conv_2d_dsp {
    struct mcu_window window;
    const int32_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    uint16_t out_channels;
    uint16_t words;
    uint16_t step_stride;
    int16_t in_zero_point;
    int16_t minimum;
    int16_t maximum;
};

/* CONV_2D, int8, for cores with the DSP extension.
 *
 * `scratch`: MCU_CONV_2D_DSP_POSITIONS * 2 * words words, and `words` more unless in_channels is a multiple of 4 and
 * dilation_width or kernel_width is 1.
 * The windows of a group of 4 positions are read before the group's first output is written.
 *
 * The first needs minimum -128, maximum 127 and no below_zero; `signs` takes below_zero, `limits` both and any limits.
 */
void mcu_conv_2d_dsp_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *parameters,
                        int32_t *scratch);
void mcu_conv_2d_dsp_signs_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *parameters,
                              int32_t *scratch);
void mcu_conv_2d_dsp_limits_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *parameters,
                               int32_t *scratch);

#endif
