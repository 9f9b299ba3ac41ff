#ifndef MCU_CONV_2D_S16_H
#define MCU_CONV_2D_S16_H

#include "mcu_window.h"

/* `filter` [channels][kernel_height][kernel_width][depth]: output channel c reads `depth` channels of the input from
 * c / multiplier on, or all of them where multiplier is 0. `bias` [channels]. Channel c uses number c * channel_step of `factor` and
 * `right`: see mcu_requantize_long, or mcu_requantize_twice where `twice` is not 0 (sums then fit 32 bits). */
struct mcu_conv_2d_s16 {
    struct mcu_window window;
    const int8_t *filter;
    const int64_t *bias;
    const int32_t *factor;
    const int8_t *right;
    uint16_t channels;
    uint16_t channel_step;
    uint16_t depth;
    uint16_t multiplier;
    int16_t minimum;
    int16_t maximum;
    uint8_t twice;
};

/* CONV_2D and DEPTHWISE_CONV_2D of int16 with filters of int8. No zero points. */
void mcu_conv_2d_s16(int16_t *output, const int16_t *input, const struct mcu_conv_2d_s16 *parameters);

#endif
