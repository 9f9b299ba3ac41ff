#include "mcu_pool_window.h"

/* dividend / divisor with a quotient of at most 8 bits; some cores have no division. */
static uint32_t divide(uint32_t dividend, uint32_t divisor)
{
    uint32_t quotient = 0;
    for (int32_t bit = 7; bit >= 0; --bit) {
        quotient <<= 1;
        if ((dividend >> bit) >= divisor) {
            dividend -= divisor << bit;
            quotient += 1;
        }
    }
    return quotient;
}

/* All channels of one position. */
static void pool(int8_t *output, const int8_t *input, const struct mcu_pool_2d *p, const struct mcu_pool_window *at)
{
    const int32_t channels = p->window.in_channels;
    const int32_t next_row = (p->window.in_width - at->columns) * channels;
    const uint32_t count = (uint32_t)(at->rows * at->columns);
    for (int32_t channel = 0; channel < channels; ++channel) {
        const int8_t *value = input + at->first + channel;
        uint32_t sum = count / 2;
        for (int32_t y = 0; y < at->rows; ++y) {
            for (int32_t x = 0; x < at->columns; ++x) {
                sum += (uint32_t)(*value - INT8_MIN);
                value += channels;
            }
            value += next_row;
        }
        output[channel] = (int8_t)mcu_clamp((int32_t)divide(sum, count) + INT8_MIN, p->minimum, p->maximum);
    }
}

void mcu_average_pool_2d_halves_up_s8(int8_t *output, const int8_t *input, const struct mcu_pool_2d *parameters)
{
    const struct mcu_window *const w = &parameters->window;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        for (int32_t y = 0; y < w->out_height; ++y) {
            for (int32_t x = 0; x < w->out_width; ++x) {
                const struct mcu_pool_window at =
                    mcu_pool_window(w, y * w->stride_height - w->pad_top, x * w->stride_width - w->pad_left);
                pool(output, input, parameters, &at);
                output += w->in_channels;
            }
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}
