#ifndef MCU_CONV_2D_OFFSET_H
#define MCU_CONV_2D_OFFSET_H

#include "mcu_channels.h"
#include "mcu_window.h"

/* `filter` [channels][kernel_height][kernel_width][depth], from which `filter_zero_point` is taken away: output channel c reads
 * `depth` channels of the input from c / multiplier on, or all of them where multiplier is 0. `out.bias` is the model's. */
struct mcu_conv_2d_offset {
    struct mcu_window window;
    struct mcu_channels out;
    const int8_t *filter;
    int16_t in_zero_point;
    int16_t filter_zero_point;
    uint16_t depth;
    uint16_t multiplier;
};

/* CONV_2D and DEPTHWISE_CONV_2D, int8 with filters that have a zero point, as models of uint8 have them; rounding twice. */
void mcu_conv_2d_offset_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_offset *parameters);

#endif
