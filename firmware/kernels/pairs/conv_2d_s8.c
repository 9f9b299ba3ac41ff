#include "mcu_conv_2d_pairs.h"

#include "mcu_loops.h"
#include "mcu_window_place.h"

#define POSITIONS MCU_CONV_2D_PAIRS_POSITIONS

/* All channels of `count` positions (1 to 4) whose inputs are prepared. */
MCU_INLINE void convolve_group(int8_t *output, const int32_t *inputs, const struct mcu_conv_2d_pairs *p, int32_t count,
                               struct mcu_finish finish)
{
    const int32_t channels = p->out_channels;
    const int32_t taps = p->taps;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const struct mcu_staircase *steps = p->steps;
    const int32_t *bias = p->bias;
    const int8_t *filter = p->filter;
    int8_t *const last = output + channels;
    while (output != last) {
        struct mcu_quad_sums s;
        mcu_multiply_pairs(&s, inputs, filter, taps);
        const int32_t sums[POSITIONS] = {
            mcu_pair_lower(s.low, taps >> 1),
            s.low.upper,
            mcu_pair_lower(s.high, taps >> 1),
            s.high.upper,
        };
        const struct mcu_staircase here = *steps;
        int8_t *to = output;
        const int32_t start = *bias++;
        for (int32_t i = 0; i < count; ++i) {
            *to = mcu_pair_climb(sums[i] + start, here, finish, minimum, maximum);
            to += channels;
        }
        steps += p->step_stride;
        filter += taps;
        output += 1;
    }
}

/* Two positions at once, the second one's inputs into the upper halves. */
static __attribute__((noinline)) int32_t *prepare_two(int32_t *to, const int8_t *lower, const int8_t *upper,
                                                      int32_t bytes)
{
    const int8_t *const end = lower + bytes;
    while (lower != end) {
        *to = *lower++ + *upper++ * 65536;
        to += 2;
    }
    return to;
}

/* Puts `bytes` inputs of one position into every second word: into the lower halves, or on top of them into the upper.
 */
static __attribute__((noinline)) int32_t *prepare_run(int32_t *to, const int8_t *from, int32_t bytes, int32_t upper)
{
    const int8_t *const end = from + bytes;
    if (upper) {
        while (from != end) {
            *to += *from++ * 65536;
            to += 2;
        }
    } else {
        while (from != end) {
            *to = *from++;
            to += 2;
        }
    }
    return to;
}

static int32_t *prepare_fill(int32_t *to, int32_t value, int32_t bytes, int32_t upper)
{
    for (; bytes > 0; --bytes) {
        *to = upper ? *to + value * 65536 : value;
        to += 2;
    }
    return to;
}

/* The window at (top, left). */
static __attribute__((noinline)) void prepare_window(int32_t *to, const int8_t *image,
                                                     const struct mcu_conv_2d_pairs *p, int32_t top, int32_t left,
                                                     int32_t upper)
{
    const struct mcu_window *const w = &p->window;
    const int32_t channels = w->in_channels;
    const int32_t dilation = w->dilation_width;
    const int32_t right = left + (w->kernel_width - 1) * dilation;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        const int32_t y = top + i * w->dilation_height;
        const int8_t *const row = image + y * w->in_width * channels;
        if (y < 0 || y >= w->in_height) {
            to = prepare_fill(to, p->in_zero_point, w->kernel_width * channels, upper);
        } else if (dilation == 1 && left >= 0 && right < w->in_width) {
            to = prepare_run(to, row + left * channels, w->kernel_width * channels, upper);
        } else {
            int32_t x = left;
            for (int32_t j = w->kernel_width; j > 0; --j) {
                if (x < 0 || x >= w->in_width) {
                    to = prepare_fill(to, p->in_zero_point, channels, upper);
                } else {
                    to = prepare_run(to, row + x * channels, channels, upper);
                }
                x += dilation;
            }
        }
    }
}

/* Whether rows of the window are runs of the image. */
MCU_INLINE int32_t is_inside(struct mcu_place at, const struct mcu_window *w)
{
    return at.top >= 0 && at.left >= 0 && (w->dilation_width == 1 || w->kernel_width == 1) &&
           at.left + w->kernel_width <= w->in_width &&
           at.top + (w->kernel_height - 1) * w->dilation_height < w->in_height;
}

MCU_INLINE void convolve(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *p, int32_t *scratch,
                         struct mcu_finish finish)
{
    const struct mcu_window *const w = &p->window;
    const int32_t length = w->kernel_height * w->kernel_width * w->in_channels;
    const int32_t pitch = w->in_width * w->in_channels;
    for (int32_t i = 2 * length; i < 2 * p->taps; ++i) {
        scratch[i] = 0;
    }
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        int32_t left_over = w->out_height * w->out_width;
        struct mcu_place at = {-w->pad_top, -w->pad_left, 0};
        while (left_over > 0) {
            const int32_t count = left_over < POSITIONS ? left_over : POSITIONS;
            for (int32_t i = 0; i < count; i += 2) {
                const struct mcu_place first = at;
                at = mcu_next_place(at, w);
                if (i + 1 == count) {
                    prepare_window(scratch + (i >> 1), input, p, first.top, first.left, 0);
                    break;
                }
                if (is_inside(first, w) && is_inside(at, w)) {
                    const int8_t *const lower = input + first.top * pitch + first.left * w->in_channels;
                    const int8_t *const upper = input + at.top * pitch + at.left * w->in_channels;
                    int32_t *to = scratch + (i >> 1);
                    for (int32_t row = 0; row < w->kernel_height * w->dilation_height; row += w->dilation_height) {
                        to =
                            prepare_two(to, lower + row * pitch, upper + row * pitch, w->kernel_width * w->in_channels);
                    }
                } else {
                    prepare_window(scratch + (i >> 1), input, p, first.top, first.left, 0);
                    prepare_window(scratch + (i >> 1), input, p, at.top, at.left, 1);
                }
                at = mcu_next_place(at, w);
            }
            if (count <= 2) { /* the other two positions are computed in vain */
                for (int32_t i = 0; i < 2 * length; i += 2) {
                    scratch[i + 1] = 0;
                }
            }
            convolve_group(output, scratch, p, count, finish);
            output += count * p->out_channels;
            left_over -= count;
        }
        input += w->in_height * w->in_width * w->in_channels;
    }
}

void mcu_conv_2d_pairs_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *parameters,
                          int32_t *scratch)
{
    const struct mcu_finish finish = {0, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_conv_2d_pairs_signs_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *parameters,
                                int32_t *scratch)
{
    const struct mcu_finish finish = {1, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_conv_2d_pairs_limits_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_pairs *parameters,
                                 int32_t *scratch)
{
    const struct mcu_finish finish = {1, 1};
    convolve(output, input, parameters, scratch, finish);
}
