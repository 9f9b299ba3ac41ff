#include "mcu_pool_2d_s16.h"

#include "mcu_pool_window.h"

enum pool_kind { LARGEST, MEAN };

/* dividend / divisor with a quotient of at most 16 bits; some cores have no division. */
static uint32_t divide(uint32_t dividend, uint32_t divisor)
{
    uint32_t quotient = 0;
    for (int32_t bit = 15; bit >= 0; --bit) {
        quotient <<= 1;
        if ((dividend >> bit) >= divisor) {
            dividend -= divisor << bit;
            quotient += 1;
        }
    }
    return quotient;
}

/* All channels of one position. */
static void pool(int16_t *output, const int16_t *input, const struct mcu_pool_2d *p, const struct mcu_pool_window *at,
                 enum pool_kind kind)
{
    const int32_t channels = p->window.in_channels;
    const int32_t next_row = (p->window.in_width - at->columns) * channels;
    const uint32_t count = (uint32_t)(at->rows * at->columns);
    for (int32_t channel = 0; channel < channels; ++channel) {
        const int16_t *value = input + at->first + channel;
        int32_t sum = 0;
        int32_t largest = INT16_MIN;
        for (int32_t y = 0; y < at->rows; ++y) {
            for (int32_t x = 0; x < at->columns; ++x) {
                sum += *value;
                largest = *value > largest ? *value : largest;
                value += channels;
            }
            value += next_row;
        }
        if (kind == MEAN) {
            const int32_t mean = (int32_t)divide((uint32_t)(sum < 0 ? -sum : sum) + count / 2, count);
            largest = sum < 0 ? -mean : mean;
        }
        output[channel] = (int16_t)mcu_clamp(largest, p->minimum, p->maximum);
    }
}

MCU_INLINE void pool_2d(int16_t *output, const int16_t *input, const struct mcu_pool_2d *p, enum pool_kind kind)
{
    const struct mcu_window *const w = &p->window;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        for (int32_t y = 0; y < w->out_height; ++y) {
            for (int32_t x = 0; x < w->out_width; ++x) {
                const struct mcu_pool_window at =
                    mcu_pool_window(w, y * w->stride_height - w->pad_top, x * w->stride_width - w->pad_left);
                pool(output, input, p, &at, kind);
                output += w->in_channels;
            }
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}

void mcu_average_pool_2d_s16(int16_t *output, const int16_t *input, const struct mcu_pool_2d *parameters)
{
    pool_2d(output, input, parameters, MEAN);
}

void mcu_max_pool_2d_s16(int16_t *output, const int16_t *input, const struct mcu_pool_2d *parameters)
{
    pool_2d(output, input, parameters, LARGEST);
}
