#ifndef MCU_FULLY_CONNECTED_PAIRS_H
#define MCU_FULLY_CONNECTED_PAIRS_H

#include "mcu_staircase.h"

/* `filter`: [units / 4, rounded up][depth][4], four units interleaved, aligned to a word; units that are missing in the
 * last four are zeros. `bias` [units, rounded up to 4] is that of mcu_fully_connected. Unit u climbs number u *
 * step_stride of `steps`. */
struct mcu_fully_connected_pairs {
    const int8_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    uint32_t rows;
    uint32_t depth;
    uint32_t units;
    uint16_t step_stride;
    int16_t minimum;
    int16_t maximum;
};

/* FULLY_CONNECTED, int8, rounding once, for cores without the DSP extension: `rows` inputs of `depth` values each give
 * `rows` outputs of `units`. Variants as in mcu_conv_2d_dsp.h. */
void mcu_fully_connected_pairs_s8(int8_t *output, const int8_t *input,
                                  const struct mcu_fully_connected_pairs *parameters);
void mcu_fully_connected_pairs_signs_s8(int8_t *output, const int8_t *input,
                                        const struct mcu_fully_connected_pairs *parameters);
void mcu_fully_connected_pairs_limits_s8(int8_t *output, const int8_t *input,
                                         const struct mcu_fully_connected_pairs *parameters);

#endif
