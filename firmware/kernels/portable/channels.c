#include "mcu_channels.h"

#include "mcu_requantize.h"

void mcu_finish_channels(int8_t *output, const int32_t *sums, const struct mcu_channels *channels, int32_t channel,
                         int32_t count)
{
    const int32_t step = channels->channel_step;
    const int32_t zero_point = channels->zero_point;
    const int32_t minimum = channels->minimum;
    const int32_t maximum = channels->maximum;
    const int32_t *multiplier = channels->multiplier + channel * step;
    const int8_t *right = channels->right + channel * step;
    int8_t *const end = output + count;
    do {
        const int32_t value = mcu_requantize_twice(*sums++, *multiplier, *right) + zero_point;
        *output++ = (int8_t)mcu_clamp(value, minimum, maximum);
        multiplier += step;
        right += step;
    } while (output != end);
}
