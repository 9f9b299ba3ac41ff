/* How the sums of a convolution become its outputs. */
#ifndef MCU_CHANNELS_H
#define MCU_CHANNELS_H

#include <stdint.h>

/* One multiplier and shift a channel, or one for all.
 *
 * `bias` [channels] already contains -input_zero_point * (sum of the channel's filter). Channel c uses number
 * c * channel_step of `multiplier` and `right`, channel_step 0 or 1: see mcu_requantize_twice. */
struct mcu_channels {
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *right;
    uint16_t channels;
    uint16_t channel_step;
    int16_t zero_point;
    int16_t minimum;
    int16_t maximum;
};

/* Writes the outputs of `count` (1 or more) channels, `channel` being the first, from their sums. */
void mcu_finish_channels(int8_t *output, const int32_t *sums, const struct mcu_channels *channels, int32_t channel,
                         int32_t count);

#endif
