#include "mcu_pool_window.h"

/* Up to this many positions, a sum of bytes (at most 128 each, plus half of the count) divided by the count equals its
 * product with floor(2^24 / count) + 1, shifted: the error stays below 1 / count while 128.5 * count^2 < 2^24, and the
 * product fits 32 bits. */
#define MOST_BY_RECIPROCAL 361

/* dividend / divisor with a quotient of at most `bits` bits; some cores have no division. */
static uint32_t divide(uint32_t dividend, uint32_t divisor, int32_t bits)
{
    uint32_t quotient = 0;
    while (bits-- > 0) {
        quotient <<= 1;
        if ((dividend >> bits) >= divisor) {
            dividend -= divisor << bits;
            quotient += 1;
        }
    }
    return quotient;
}

/* The mean of `count` values; `reciprocal` is that of the count, or 0 where there are too many. */
static int8_t mean_of(int32_t sum, uint32_t count, uint32_t reciprocal, const struct mcu_pool_2d *p)
{
    const uint32_t size = (uint32_t)(sum < 0 ? -sum : sum) + count / 2;
    const int32_t mean = (int32_t)(reciprocal ? (size * reciprocal) >> 24 : divide(size, count, 8));
    return (int8_t)mcu_clamp(sum < 0 ? -mean : mean, p->minimum, p->maximum);
}

/* All channels of one position, four at a time: what leads from value to value is then shared. */
static void pool(int8_t *output, const int8_t *input, const struct mcu_pool_2d *p, int32_t rows, int32_t columns,
                 uint32_t reciprocal)
{
    const int32_t channels = p->window.in_channels;
    const int32_t next_row = (p->window.in_width - columns) * channels;
    const uint32_t count = (uint32_t)(rows * columns);
    int32_t channel = 0;
    for (; channel + 4 <= channels; channel += 4) {
        const int8_t *value = input + channel;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int32_t y = rows; y > 0; --y) {
            for (int32_t x = columns; x > 0; --x) {
                s0 += value[0];
                s1 += value[1];
                s2 += value[2];
                s3 += value[3];
                value += channels;
            }
            value += next_row;
        }
        output[channel] = mean_of(s0, count, reciprocal, p);
        output[channel + 1] = mean_of(s1, count, reciprocal, p);
        output[channel + 2] = mean_of(s2, count, reciprocal, p);
        output[channel + 3] = mean_of(s3, count, reciprocal, p);
    }
    for (; channel < channels; ++channel) {
        const int8_t *value = input + channel;
        int32_t sum = 0;
        for (int32_t y = rows; y > 0; --y) {
            for (int32_t x = columns; x > 0; --x) {
                sum += *value;
                value += channels;
            }
            value += next_row;
        }
        output[channel] = mean_of(sum, count, reciprocal, p);
    }
}

void mcu_average_pool_2d_s8(int8_t *output, const int8_t *input, const struct mcu_pool_2d *parameters)
{
    const struct mcu_window *const w = &parameters->window;
    uint32_t count = 0;
    uint32_t reciprocal = 0;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        for (int32_t y = 0; y < w->out_height; ++y) {
            for (int32_t x = 0; x < w->out_width; ++x) {
                const struct mcu_pool_window at =
                    mcu_pool_window(w, y * w->stride_height - w->pad_top, x * w->stride_width - w->pad_left);
                if (count != (uint32_t)(at.rows * at.columns)) {
                    count = (uint32_t)(at.rows * at.columns);
                    reciprocal = count <= MOST_BY_RECIPROCAL ? divide(1u << 24, count, 25) + 1 : 0;
                }
                pool(output, input + at.first, parameters, at.rows, at.columns, reciprocal);
                output += w->in_channels;
            }
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}
