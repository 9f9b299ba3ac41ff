#ifndef MCU_DEPTHWISE_CONV_2D_PAIRS_H
#define MCU_DEPTHWISE_CONV_2D_PAIRS_H

#include "mcu_axis.h"
#include "mcu_staircase.h"

/* Output channel c reads input channel c / multiplier. Dilation is 1.
 *
 * `filter`: [output channels][lines.kernel][along.kernel], none -128. `bias` [output channels] is that of mcu_channels.
 * Channel c climbs number c * step_stride of `steps`. `turn`, `turn_lines`, `by_lines`: as in
 * mcu_depthwise_conv_2d_dsp.h, with one channel in place of four. `pitch`: positions in a prepared line, padding
 * included: ((along.out_size + 1) / 2 * 2 - 1) * along.stride + along.kernel, or along.padding + 1 where that is more.
 */
struct mcu_depthwise_conv_2d_pairs {
    struct mcu_axis lines;
    struct mcu_axis along;
    const int8_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    uint16_t batches;
    uint16_t in_channels;
    uint16_t multiplier;
    uint16_t turn;
    uint16_t turn_lines;
    uint16_t pitch;
    uint16_t step_stride;
    uint16_t by_lines;
    int16_t in_zero_point;
    int16_t minimum;
    int16_t maximum;
};

/* DEPTHWISE_CONV_2D, int8, for cores without the DSP extension. `scratch`: lines.kernel * along.kernel + turn_lines *
 * pitch words. What it reads before it writes is as in mcu_depthwise_conv_2d_dsp.h; variants as in mcu_conv_2d_dsp.h.
 */
void mcu_depthwise_conv_2d_pairs_s8(int8_t *output, const int8_t *input,
                                    const struct mcu_depthwise_conv_2d_pairs *parameters, int32_t *scratch);
void mcu_depthwise_conv_2d_pairs_signs_s8(int8_t *output, const int8_t *input,
                                          const struct mcu_depthwise_conv_2d_pairs *parameters, int32_t *scratch);
void mcu_depthwise_conv_2d_pairs_limits_s8(int8_t *output, const int8_t *input,
                                           const struct mcu_depthwise_conv_2d_pairs *parameters, int32_t *scratch);

#endif
