#ifndef MCU_FULLY_CONNECTED_DSP_H
#define MCU_FULLY_CONNECTED_DSP_H

#include "mcu_staircase.h"

/* A unit's filter is `words` = ceil(depth / 4) words as in mcu_conv_2d_dsp.h. `filter`: for each four units, for each
 * word, that of each of them; units that are missing in the last four are zeros. `bias` [units, rounded up to 4]:
 * 256-fold, as there. Unit u climbs number u * step_stride of `steps`, those that are missing in the last four too. */
struct mcu_fully_connected_dsp {
    const int32_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    uint32_t rows;
    uint32_t depth;
    uint32_t units;
    uint16_t step_stride;
    int16_t minimum;
    int16_t maximum;
};

/* FULLY_CONNECTED, int8, rounding once, for cores with the DSP extension: `rows` inputs of `depth` values each give
 * `rows` outputs of `units`. Variants as in mcu_conv_2d_dsp.h. */
void mcu_fully_connected_dsp_s8(int8_t *output, const int8_t *input, const struct mcu_fully_connected_dsp *parameters);
void mcu_fully_connected_dsp_signs_s8(int8_t *output, const int8_t *input,
                                      const struct mcu_fully_connected_dsp *parameters);
void mcu_fully_connected_dsp_limits_s8(int8_t *output, const int8_t *input,
                                       const struct mcu_fully_connected_dsp *parameters);

#endif
