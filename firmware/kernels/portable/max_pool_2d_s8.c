#include "mcu_pool_window.h"

/* All channels of one position. */
static void pool(int8_t *output, const int8_t *input, const struct mcu_pool_2d *p, int32_t rows, int32_t columns)
{
    const int32_t channels = p->window.in_channels;
    const int32_t next_row = (p->window.in_width - columns) * channels;
    for (int32_t channel = 0; channel < channels; ++channel) {
        const int8_t *value = input + channel;
        int32_t largest = INT8_MIN;
        for (int32_t y = 0; y < rows; ++y) {
            for (int32_t x = 0; x < columns; ++x) {
                largest = *value > largest ? *value : largest;
                value += channels;
            }
            value += next_row;
        }
        output[channel] = (int8_t)mcu_clamp(largest, p->minimum, p->maximum);
    }
}

void mcu_max_pool_2d_s8(int8_t *output, const int8_t *input, const struct mcu_pool_2d *parameters)
{
    const struct mcu_window *const w = &parameters->window;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        for (int32_t y = 0; y < w->out_height; ++y) {
            for (int32_t x = 0; x < w->out_width; ++x) {
                const struct mcu_pool_window at =
                    mcu_pool_window(w, y * w->stride_height - w->pad_top, x * w->stride_width - w->pad_left);
                pool(output, input + at.first, parameters, at.rows, at.columns);
                output += w->in_channels;
            }
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}
