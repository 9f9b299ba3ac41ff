#include "mcu_depthwise_conv_2d_dsp.h"

#include "mcu_loops.h"

/* Input lines are prepared for four channels at a time: the values of two neighbouring positions are the halves of a
 * word, so that one multiplication takes two taps of a line. The words of the four channels lie side by side.
 *
 * With stride 1 an output at an even position finds its taps in words as they lie, one at an odd position finds them
 * one half later: its filter is laid out accordingly. */

#define QUAD 4 /* channels that are prepared side by side */

/* Two positions of four channels, given as bytes. */
MCU_INLINE int32_t *prepare(int32_t *to, int32_t first, int32_t second)
{
    const int32_t low = (int32_t)(((uint32_t)first & 0xffffu) | ((uint32_t)second << 16));
    const int32_t high = (int32_t)(((uint32_t)first >> 16) | ((uint32_t)second & 0xffff0000u));
    to[0] = mcu_sxtb16(low);
    to[1] = mcu_sxtb16_odd(low);
    to[2] = mcu_sxtb16(high);
    to[3] = mcu_sxtb16_odd(high);
    return to + QUAD;
}

/* The bytes of `count` channels, 1 to 4. */
MCU_INLINE int32_t channels_at(const int8_t *from, int32_t count)
{
    if (count >= QUAD) {
        return mcu_load_4(from);
    }
    uint32_t word = (uint8_t)from[0];
    if (count > 1) {
        word |= (uint32_t)(uint8_t)from[1] << 8;
    }
    if (count > 2) {
        word |= (uint32_t)(uint8_t)from[2] << 16;
    }
    return (int32_t)word;
}

/* A line of `count` channels (at least four count as four); `from` is its first position. `fill` is four times the zero
 * point. */
MCU_INLINE void prepare_inside(int32_t *to, const int8_t *from, const struct mcu_depthwise_conv_2d_dsp *p, int32_t fill,
                               int32_t count)
{
    const int32_t step = p->along.in_step;
    int32_t *const end = to + QUAD * p->pairs;
    int32_t before = p->along.padding;
    int32_t positions = p->along.in_size;
    for (; before >= 2; before -= 2) {
        to = prepare(to, fill, fill);
    }
    if (before) {
        to = prepare(to, fill, channels_at(from, count));
        from += step;
        positions -= 1;
    }
    for (; positions >= 2 && to != end; positions -= 2) {
        const int32_t first = channels_at(from, count);
        const int32_t second = channels_at(from + step, count);
        from += 2 * step;
        to = prepare(to, first, second);
    }
    if (positions == 1 && to != end) {
        to = prepare(to, channels_at(from, count), fill);
    }
    while (to != end) {
        to = prepare(to, fill, fill);
    }
}

/* `count` lines from `line` on, which may lie beyond the image, of `channels` channels. */
static __attribute__((noinline)) void prepare_lines(int32_t *to, const int8_t *input,
                                                    const struct mcu_depthwise_conv_2d_dsp *p, int32_t line,
                                                    int32_t count, int32_t channels)
{
    const int32_t fill = (int32_t)((uint32_t)(p->in_zero_point & 0xff) * 0x01010101u);
    const int32_t pitch = QUAD * p->pairs;
    for (const int32_t end = line + count; line < end; ++line) {
        if (line < 0 || line >= p->lines.in_size) {
            for (int32_t *at = to; at != to + pitch;) {
                at = prepare(at, fill, fill);
            }
        } else if (channels >= QUAD) {
            prepare_inside(to, input + line * p->lines.in_step, p, fill, QUAD);
        } else {
            prepare_inside(to, input + line * p->lines.in_step, p, fill, channels);
        }
        to += pitch;
    }
}

/* The taps of a channel's filter as halves 256 * w: for each line (w0, w1), (w2, w3), ..., zeros after the last tap;
 * with stride 1 each is followed by what an output at an odd position meets there: (0, w0), (w1, w2), ... */
static __attribute__((noinline)) void expand(int32_t *to, const int8_t *filter,
                                             const struct mcu_depthwise_conv_2d_dsp *p)
{
    const int32_t kernel = p->along.kernel;
    const int32_t shifted = p->along.stride == 1;
    for (int32_t line = p->lines.kernel; line > 0; --line) {
        uint32_t before = 0;
        int32_t tap = 0;
        for (int32_t left = p->words; left > 0; --left) {
            const uint32_t first = tap < kernel ? (uint32_t)(uint8_t)filter[tap] : 0;
            const uint32_t second = tap + 1 < kernel ? (uint32_t)(uint8_t)filter[tap + 1] : 0;
            *to++ = (int32_t)(first << 8 | second << 24);
            if (shifted) {
                *to++ = (int32_t)(before << 8 | first << 24);
            }
            before = second;
            tap += 2;
        }
        filter += kernel;
    }
}

/* What the loops over a window need; constant in callers where the compiler is to unroll them. */
struct shape {
    int32_t height;
    int32_t words;
    int32_t stride;
};

/* Neighbouring outputs of one channel, whose window begins at `x`. */
struct sums {
    int32_t at[4];
};

MCU_INLINE struct sums four(int32_t bias, const int32_t *x, const int32_t *filter, int32_t pitch, struct shape shape)
{
    int32_t s0 = bias, s1 = bias, s2 = bias, s3 = bias;
    for (int32_t line = shape.height; line > 0; --line) {
        const int32_t *at = x;
        if (shape.stride == 1) {
            int32_t here = *at;
            for (int32_t left = shape.words; left > 0; --left) {
                at += QUAD;
                const int32_t next = *at;
                const int32_t even = filter[0], odd = filter[1];
                filter += 2;
                s0 = mcu_smlad(here, even, s0);
                s1 = mcu_smlad(here, odd, s1);
                s2 = mcu_smlad(next, even, s2);
                s3 = mcu_smlad(next, odd, s3);
                here = next;
            }
        } else {
            for (int32_t left = shape.words; left > 0; --left) {
                const int32_t taps = *filter++;
                s0 = mcu_smlad(at[0], taps, s0);
                s1 = mcu_smlad(at[QUAD], taps, s1);
                s2 = mcu_smlad(at[2 * QUAD], taps, s2);
                s3 = mcu_smlad(at[3 * QUAD], taps, s3);
                at += QUAD;
            }
        }
        x += pitch;
    }
    const struct sums result = {{s0, s1, s2, s3}};
    return result;
}

MCU_INLINE struct sums two(int32_t bias, const int32_t *x, const int32_t *filter, int32_t pitch, struct shape shape)
{
    int32_t s0 = bias, s1 = bias;
    for (int32_t line = shape.height; line > 0; --line) {
        const int32_t *at = x;
        for (int32_t left = shape.words; left > 0; --left) {
            s0 = mcu_smlad(at[0], filter[0], s0);
            if (shape.stride == 1) {
                s1 = mcu_smlad(at[0], filter[1], s1);
                filter += 2;
            } else {
                s1 = mcu_smlad(at[QUAD], filter[0], s1);
                filter += 1;
            }
            at += QUAD;
        }
        x += pitch;
    }
    const struct sums result = {{s0, s1, 0, 0}};
    return result;
}

/* `lines` output lines of one channel. */
MCU_INLINE void convolve_lines(int8_t *output, const int32_t *x, int32_t lines, const int32_t *filter, int32_t bias,
                               struct mcu_staircase steps, const struct mcu_depthwise_conv_2d_dsp *p,
                               struct mcu_finish finish, struct shape shape)
{
    const int32_t pitch = QUAD * p->pairs;
    const int32_t next = p->along.out_step;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    do {
        const int32_t *at = x;
        int8_t *to = output;
        int32_t left = p->along.out_size;
        for (; left > 2; left -= 4) {
            const struct sums s = four(bias, at, filter, pitch, shape);
            to[0] = mcu_climb(s.at[0], steps, finish, minimum, maximum);
            to += next;
            to[0] = mcu_climb(s.at[1], steps, finish, minimum, maximum);
            to += next;
            to[0] = mcu_climb(s.at[2], steps, finish, minimum, maximum);
            if (left > 3) {
                to += next;
                to[0] = mcu_climb(s.at[3], steps, finish, minimum, maximum);
                to += next;
            }
            at += 2 * QUAD * shape.stride;
        }
        if (left > 0) {
            const struct sums s = two(bias, at, filter, pitch, shape);
            to[0] = mcu_climb(s.at[0], steps, finish, minimum, maximum);
            if (left > 1) {
                to[next] = mcu_climb(s.at[1], steps, finish, minimum, maximum);
            }
        }
        x += p->lines.stride * pitch;
        output += p->lines.out_step;
    } while (--lines);
}

/* The taps of a window of 3 lines of 3 taps as mcu_window_lines has them. */
MCU_INLINE void expand_usual(int32_t *to, const int8_t *filter)
{
    for (int32_t line = 3; line > 0; --line) {
        const uint32_t first = (uint8_t)filter[0], second = (uint8_t)filter[1], third = (uint8_t)filter[2];
        to[0] = (int32_t)(first << 8 | second << 24);
        to[1] = (int32_t)(second << 8 | third << 24);
        to += 2;
        filter += 3;
    }
}

/* Output lines of channel `out`, for windows of 3 lines of 3 taps that move by one along a line. */
MCU_INLINE void usual_lines(int8_t *output, const int32_t *x, int32_t lines, int32_t out,
                            const struct mcu_depthwise_conv_2d_dsp *p, struct mcu_finish finish)
{
    const struct mcu_staircase *const steps = p->steps + out * p->step_stride;
    struct mcu_window_lines windows;
    expand_usual(windows.taps, p->filter + 9 * out);
    windows.bias = p->bias[out];
    windows.multiplier = steps->multiplier;
    windows.add = steps->add;
    windows.below_zero = steps->below_zero;
    windows.shift = steps->shift;
    windows.next = p->along.out_step;
    windows.count = p->along.out_size;
    windows.lines = lines;
    windows.x = x;
    windows.output = output;
    windows.pitch = QUAD * p->pairs * (int32_t)sizeof(int32_t);
    windows.line_stride = p->lines.stride * windows.pitch;
    windows.next_line = p->lines.out_step - p->along.out_size * p->along.out_step;
    if (finish.limits) {
        mcu_window_lines_c(&windows, finish, p->minimum, p->maximum);
    } else if (finish.signs) {
        mcu_window_lines_signs(&windows);
    } else {
        mcu_window_lines_plain(&windows);
    }
}

/* The same for windows that move by two: outputs find their first two taps in one word, the third in the next. */
MCU_INLINE void lines_by_two(int8_t *output, const int32_t *x, int32_t lines, int32_t out,
                             const struct mcu_depthwise_conv_2d_dsp *p, struct mcu_finish finish)
{
    const struct mcu_staircase steps = p->steps[out * p->step_stride];
    const int32_t pitch = QUAD * p->pairs;
    const int32_t next = p->along.out_step;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const int32_t bias = p->bias[out];
    int32_t taps[6];
    expand_usual(taps, p->filter + 9 * out);
    do {
        const int32_t *at = x;
        int8_t *to = output;
        for (int32_t left = p->along.out_size; left > 0; left -= 2) {
            int32_t s0 = bias, s1 = bias;
            const int32_t *line = at;
#pragma GCC unroll 3
            for (int32_t i = 0; i < 6; i += 2) {
                const int32_t first = taps[i], last = taps[i + 1];
                const int32_t a = line[0], b = line[QUAD], c = line[2 * QUAD];
                s0 = mcu_smlad(a, first, s0);
                s1 = mcu_smlad(b, first, s1);
                s0 = mcu_smlabt(b, last, s0);
                s1 = mcu_smlabt(c, last, s1);
                line += pitch;
            }
            to[0] = mcu_climb(s0, steps, finish, minimum, maximum);
            to += next;
            if (left > 1) {
                to[0] = mcu_climb(s1, steps, finish, minimum, maximum);
                to += next;
            }
            at += 2 * QUAD;
        }
        x += p->lines.stride * pitch;
        output += p->lines.out_step;
    } while (--lines);
}

/* Functions of their own: what the loops around them need would take the registers of theirs. */
#define LINES_BY_TWO(name, signs, limits)                                                                    \
    static __attribute__((noinline)) void name(int8_t *output, const int32_t *x, int32_t lines, int32_t out, \
                                               const struct mcu_depthwise_conv_2d_dsp *p)                    \
    {                                                                                                        \
        const struct mcu_finish finish = {signs, limits};                                                    \
        lines_by_two(output, x, lines, out, p, finish);                                                      \
    }

LINES_BY_TWO(lines_by_two_plain, 0, 0)
LINES_BY_TWO(lines_by_two_signs, 1, 0)
LINES_BY_TWO(lines_by_two_limits, 1, 1)

/* `lines` output lines of up to four input channels, from input channel `first` on; `taps` is room for a filter. */
MCU_INLINE void convolve_quad(int8_t *output, const int32_t *prepared, int32_t *taps, int32_t lines, int32_t first,
                              const struct mcu_depthwise_conv_2d_dsp *p, struct mcu_finish finish)
{
    const int32_t height = p->lines.kernel, words = p->words;
    const int32_t usual = height == 3 && p->along.kernel == 3;
    const int32_t left_channels = p->in_channels - first;
    int32_t out = first * p->multiplier;
    const int32_t end = out + (left_channels < QUAD ? left_channels : QUAD) * p->multiplier;
    for (int32_t m = 0; out < end; ++out) {
        if (usual && p->along.stride == 1) {
            usual_lines(output, prepared, lines, out, p, finish);
        } else if (usual) {
            if (finish.limits) {
                lines_by_two_limits(output, prepared, lines, out, p);
            } else if (finish.signs) {
                lines_by_two_signs(output, prepared, lines, out, p);
            } else {
                lines_by_two_plain(output, prepared, lines, out, p);
            }
        } else {
            const struct mcu_staircase steps = p->steps[out * p->step_stride];
            expand(taps, p->filter + out * height * p->along.kernel, p);
            if (p->along.stride == 1) {
                const struct shape known = {height, words, 1};
                convolve_lines(output, prepared, lines, taps, p->bias[out], steps, p, finish, known);
            } else {
                const struct shape known = {height, words, 2};
                convolve_lines(output, prepared, lines, taps, p->bias[out], steps, p, finish, known);
            }
        }
        output += 1;
        m += 1;
        if (m == p->multiplier) {
            m = 0;
            prepared += 1;
        }
    }
}

MCU_INLINE void convolve(int8_t *output, const int8_t *input, const struct mcu_depthwise_conv_2d_dsp *p,
                         int32_t *scratch, struct mcu_finish finish)
{
    const int32_t pitch = QUAD * p->pairs;
    const int32_t moved = p->turn * p->lines.stride; /* input lines from one turn to the next */
    const int32_t kept = moved < p->turn_lines ? p->turn_lines - moved : 0;
    const int32_t out_lines = p->lines.out_size, channels = p->in_channels;
    int32_t *const prepared = scratch + p->lines.kernel * p->words * (p->along.stride == 1 ? 2 : 1);
    for (int32_t batch = 0; batch < p->batches; ++batch) {
        int32_t line = 0, first = 0; /* of the turn */
        while (line < out_lines && first < channels) {
            const int32_t turn = out_lines - line < p->turn ? out_lines - line : p->turn;
            const int32_t ready = line > 0 && !p->by_lines ? kept : 0;
            for (int32_t i = 0; i < ready * pitch; ++i) {
                prepared[i] = prepared[i + moved * pitch];
            }
            prepare_lines(prepared + ready * pitch, input + first, p, line * p->lines.stride - p->lines.padding + ready,
                          p->turn_lines - ready, channels - first);
            convolve_quad(output + line * p->lines.out_step + first * p->multiplier, prepared, scratch, turn, first, p,
                          finish);
            if (p->by_lines) {
                first += QUAD;
                if (first >= channels) {
                    first = 0;
                    line += turn;
                }
            } else {
                line += turn;
                if (line >= out_lines) {
                    line = 0;
                    first += QUAD;
                }
            }
        }
        input += p->lines.in_size * p->along.in_size * channels;
        output += out_lines * p->along.out_size * channels * p->multiplier;
    }
}

void mcu_depthwise_conv_2d_dsp_s8(int8_t *output, const int8_t *input,
                                  const struct mcu_depthwise_conv_2d_dsp *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {0, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_depthwise_conv_2d_dsp_signs_s8(int8_t *output, const int8_t *input,
                                        const struct mcu_depthwise_conv_2d_dsp *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {1, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_depthwise_conv_2d_dsp_limits_s8(int8_t *output, const int8_t *input,
                                         const struct mcu_depthwise_conv_2d_dsp *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {1, 1};
    convolve(output, input, parameters, scratch, finish);
}
