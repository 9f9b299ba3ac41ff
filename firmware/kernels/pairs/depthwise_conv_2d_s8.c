#include "mcu_depthwise_conv_2d_pairs.h"

#include "mcu_pairs.h"

/* Input lines are prepared for one channel: a word for each position, which also holds, in its upper half, the position
 * one stride further on. The sums of two neighbouring outputs then come from the same words. */

/* The next position of a line: padding, `positions` of the image, padding. */
struct positions {
    const int8_t *from;
    int32_t padding;
    int32_t positions;
};

MCU_INLINE int32_t next_position(struct positions *line, int32_t step, int32_t fill)
{
    if (line->padding > 0) {
        line->padding -= 1;
        return fill;
    }
    if (line->positions > 0) {
        const int32_t value = *line->from;
        line->from += step;
        line->positions -= 1;
        return value;
    }
    return fill;
}

/* A line of one channel, for a stride of 1 or 2: a word is complete when the position a stride further on comes. */
MCU_INLINE void prepare_near(int32_t *to, struct positions line, int32_t *end, int32_t step, int32_t fill,
                             int32_t stride)
{
    int32_t first = next_position(&line, step, fill);
    int32_t second = stride == 2 ? next_position(&line, step, fill) : 0;
#define MCU_POSITION(value)                      \
    do {                                         \
        const int32_t position = (value);        \
        *to++ = first + position * 65536;        \
        first = stride == 2 ? second : position; \
        second = position;                       \
    } while (0)
    for (; line.padding > 0 && to != end; --line.padding) {
        MCU_POSITION(fill);
    }
    int32_t *const inside = end - to < line.positions ? end : to + line.positions;
    while (to != inside) {
        MCU_POSITION(*line.from);
        line.from += step;
    }
    while (to != end) {
        MCU_POSITION(fill);
    }
#undef MCU_POSITION
}

/* The same for larger strides. */
MCU_INLINE void prepare_far(int32_t *to, struct positions line, int32_t *end, int32_t step, int32_t fill,
                            int32_t stride)
{
    int32_t *at = to;
    while (at != end) {
        *at++ = next_position(&line, step, fill);
    }
    /* Upper halves, from the front: what lies a stride further on is still a single number. */
    int32_t *const last = end - stride;
    for (at = to; at < last; ++at) {
        *at += at[stride] * 65536;
    }
    for (at = last < to ? to : last; at != end; ++at) {
        *at += fill * 65536;
    }
}

/* A line of one channel; `from` is its first position in the image, or 0 for a line beyond it. */
static __attribute__((noinline)) void prepare_line(int32_t *to, const int8_t *from,
                                                   const struct mcu_depthwise_conv_2d_pairs *p)
{
    const int32_t step = p->along.in_step;
    const int32_t stride = p->along.stride;
    const int32_t fill = p->in_zero_point;
    int32_t *const end = to + p->pitch;
    const struct positions line = {from, p->along.padding, p->along.in_size};
    if (!from) {
        const int32_t both = fill + fill * 65536;
        while (to != end) {
            *to++ = both;
        }
    } else if (stride == 1) {
        prepare_near(to, line, end, step, fill, 1);
    } else if (stride == 2) {
        prepare_near(to, line, end, step, fill, 2);
    } else {
        prepare_far(to, line, end, step, fill, stride);
    }
}

/* The sums of two neighbouring outputs whose windows begin at `x`; `taps` are `height` lines of `width`. */
MCU_INLINE struct mcu_pair_sums multiply(const int32_t *x, const int32_t *taps, int32_t pitch, int32_t height,
                                         int32_t width)
{
    struct mcu_pair_sums s = {0, 0};
    int32_t half = MCU_PAIRS_HALF;
    __asm__("" : "+r"(half));
#pragma GCC unroll 4
    for (int32_t line = 0; line < height; ++line) {
#pragma GCC unroll 2
        for (int32_t k = 0; k + 1 < width; k += 2) {
            mcu_pair_step(&s, x[k], taps[k], x[k + 1], taps[k + 1], half);
        }
        if (width & 1) {
            mcu_pair_step(&s, x[width - 1], taps[width - 1], 0, 0, half);
        }
        x += pitch;
        taps += width;
    }
    return s;
}

/* `lines` output lines of one channel. */
MCU_INLINE void convolve_lines(int8_t *output, const int32_t *x, int32_t lines, const int32_t *taps, int32_t bias,
                               struct mcu_staircase steps, const struct mcu_depthwise_conv_2d_pairs *p,
                               struct mcu_finish finish, int32_t height, int32_t width)
{
    const int32_t pitch = p->pitch;
    const int32_t next = p->along.out_step;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const int32_t counted = height * ((width + 1) >> 1);
    do {
        const int32_t *at = x;
        int8_t *to = output;
        for (int32_t left = p->along.out_size; left > 0; left -= 2) {
            const struct mcu_pair_sums s = multiply(at, taps, pitch, height, width);
            *to = mcu_pair_climb(mcu_pair_lower(s, counted) + bias, steps, finish, minimum, maximum);
            to += next;
            if (left > 1) {
                *to = mcu_pair_climb(s.upper + bias, steps, finish, minimum, maximum);
                to += next;
            }
            at += 2 * p->along.stride;
        }
        x += p->lines.stride * pitch;
        output += p->lines.out_step;
    } while (--lines);
}

MCU_INLINE void convolve(int8_t *output, const int8_t *input, const struct mcu_depthwise_conv_2d_pairs *p,
                         int32_t *scratch, struct mcu_finish finish)
{
    const int32_t height = p->lines.kernel, width = p->along.kernel;
    const int32_t size = height * width;
    const int32_t pitch = p->pitch;
    const int32_t moved = p->turn * p->lines.stride; /* input lines from one turn to the next */
    const int32_t kept = moved < p->turn_lines ? p->turn_lines - moved : 0;
    const int32_t out_lines = p->lines.out_size, channels = p->in_channels;
    int32_t *const prepared = scratch + size;
    for (int32_t batch = 0; batch < p->batches; ++batch) {
        int32_t line = 0, channel = 0; /* of the turn */
        while (line < out_lines && channel < channels) {
            const int32_t turn = out_lines - line < p->turn ? out_lines - line : p->turn;
            const int32_t ready = line > 0 && !p->by_lines ? kept : 0;
            const int32_t top = line * p->lines.stride - p->lines.padding;
            for (int32_t i = 0; i < ready * pitch; ++i) {
                prepared[i] = prepared[i + moved * pitch];
            }
            for (int32_t i = ready; i < p->turn_lines; ++i) {
                const int32_t inside = top + i >= 0 && top + i < p->lines.in_size;
                prepare_line(prepared + i * pitch, inside ? input + channel + (top + i) * p->lines.in_step : 0, p);
            }
            for (int32_t m = 0; m < p->multiplier; ++m) {
                const int32_t out = channel * p->multiplier + m;
                const int8_t *const filter = p->filter + out * size;
                int8_t *const to = output + line * p->lines.out_step + out;
                const struct mcu_staircase steps = p->steps[out * p->step_stride];
                for (int32_t i = 0; i < size; ++i) {
                    scratch[i] = filter[i];
                }
                if (height == 3 && width == 3) {
                    convolve_lines(to, prepared, turn, scratch, p->bias[out], steps, p, finish, 3, 3);
                } else {
                    convolve_lines(to, prepared, turn, scratch, p->bias[out], steps, p, finish, height, width);
                }
            }
            if (p->by_lines) {
                channel += 1;
                if (channel == channels) {
                    channel = 0;
                    line += turn;
                }
            } else {
                line += turn;
                if (line >= out_lines) {
                    line = 0;
                    channel += 1;
                }
            }
        }
        input += p->lines.in_size * p->along.in_size * channels;
        output += out_lines * p->along.out_size * channels * p->multiplier;
    }
}

void mcu_depthwise_conv_2d_pairs_s8(int8_t *output, const int8_t *input,
                                    const struct mcu_depthwise_conv_2d_pairs *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {0, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_depthwise_conv_2d_pairs_signs_s8(int8_t *output, const int8_t *input,
                                          const struct mcu_depthwise_conv_2d_pairs *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {1, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_depthwise_conv_2d_pairs_limits_s8(int8_t *output, const int8_t *input,
                                           const struct mcu_depthwise_conv_2d_pairs *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {1, 1};
    convolve(output, input, parameters, scratch, finish);
}
