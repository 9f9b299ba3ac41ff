#ifndef MCU_DEPTHWISE_CONV_2D_DSP_H
#define MCU_DEPTHWISE_CONV_2D_DSP_H

#include "mcu_axis.h"
#include "mcu_staircase.h"

/* Output channel c reads input channel c / multiplier. The image is seen as lines of positions that are run along: lines
 * are rows or columns. The stride along a line is 1 or 2.
 *
 * `filter`: [output channels][lines.kernel][along.kernel]. `words`: along.kernel / 2 + 1 where along.stride is 1, else
 * ceil(along.kernel / 2).
 * `bias` [output channels]: 256 times what mcu_channels has. Channel c climbs number c * step_stride of `steps`.
 * `turn`: output lines that are computed at a time; the input lines for them, `turn_lines` = (turn - 1) * lines.stride +
 * lines.kernel, are prepared together. With `by_lines` a turn goes through all channels, else four channels through all
 * turns.
 * `pairs`: of positions in a prepared line, padding included, enough for groups of four outputs
 * (harness/mcu_harness/model/codegen/dsp/depthwise.py). */
struct mcu_depthwise_conv_2d_dsp {
    struct mcu_axis lines;
    struct mcu_axis along;
    const int8_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    uint16_t batches;
    uint16_t in_channels;
    uint16_t multiplier;
    uint16_t words;
    uint16_t turn;
    uint16_t turn_lines;
    uint16_t pairs;
    uint16_t step_stride;
    uint16_t by_lines;
    int16_t in_zero_point;
    int16_t minimum;
    int16_t maximum;
};

/* DEPTHWISE_CONV_2D, int8, for cores with the DSP extension. `scratch`: lines.kernel * words words, twice as many where
 * along.stride is 1, and 4 * turn_lines * pairs words more. Variants as in mcu_conv_2d_dsp.h.
 *
 * With `by_lines`, and lines that are rows, output rows are written in memory order, and before a turn's first output is
 * written no window of an earlier turn is still to be read. Without, four channels are read and written before the next four,
 * and all input lines that reach an output line before it is written: where output and input have the same shape
 * they may be the same. */
void mcu_depthwise_conv_2d_dsp_s8(int8_t *output, const int8_t *input,
                                  const struct mcu_depthwise_conv_2d_dsp *parameters, int32_t *scratch);
void mcu_depthwise_conv_2d_dsp_signs_s8(int8_t *output, const int8_t *input,
                                        const struct mcu_depthwise_conv_2d_dsp *parameters, int32_t *scratch);
void mcu_depthwise_conv_2d_dsp_limits_s8(int8_t *output, const int8_t *input,
                                         const struct mcu_depthwise_conv_2d_dsp *parameters, int32_t *scratch);

#endif
