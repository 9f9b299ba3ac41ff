#include "mcu_conv_2d_dsp.h"

#include "mcu_loops.h"
#include "mcu_window_place.h"

/* Four taps in two multiplications without unpacking the inputs in the inner loop.
 *
 * Input bytes x0 x1 x2 x3 are prepared as two words of halves: even = (x0, x2), and odd = the word with 0x7f
 * exclusive-ored into bytes 0 and 2, which is (256 * x1 + 127 - x0, 256 * x3 + 127 - x2). A filter's word holds the
 * halves w1 + 256 * w0 and w3 + 256 * w2, its bytes 0 and 2 are w1 and w3. Then
 *
 *     word * even + (w1, w3) * odd = 256 * (w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3) + 127 * (w1 + w3)
 *
 * and the last part, the same for all inputs, is taken off in the bias. Sums stay below 2^31 as they are below 2^23
 * without the factor; what is in between may wrap. */

#define POSITIONS MCU_CONV_2D_DSP_POSITIONS

/* One word of two filters times the inputs of one position. */
#define MULTIPLY(position)                                         \
    first##position = mcu_smlad(w0, x##position, first##position); \
    second##position = mcu_smlad(w1, x##position, second##position)

/* Four taps of two filters and of four positions. Loads stand side by side and no sum follows itself: a Cortex-M4 waits
 * in both cases. */
#define FOUR_TAPS_OF_4                \
    do {                              \
        int32_t w0 = filter[0];       \
        int32_t w1 = filter[1];       \
        int32_t x0 = x[0], x1 = x[1]; \
        MULTIPLY(0);                  \
        MULTIPLY(1);                  \
        int32_t x2 = x[2], x3 = x[3]; \
        MULTIPLY(2);                  \
        MULTIPLY(3);                  \
        w0 = mcu_sxtb16(w0);          \
        w1 = mcu_sxtb16(w1);          \
        x0 = x[4];                    \
        x1 = x[5];                    \
        MULTIPLY(0);                  \
        MULTIPLY(1);                  \
        x2 = x[6];                    \
        x3 = x[7];                    \
        MULTIPLY(2);                  \
        MULTIPLY(3);                  \
        filter += 2;                  \
        x += 8;                       \
    } while (0)

#define FOUR_TAPS_OF_2                \
    do {                              \
        int32_t w0 = filter[0];       \
        int32_t w1 = filter[1];       \
        int32_t x0 = x[0], x1 = x[1]; \
        MULTIPLY(0);                  \
        MULTIPLY(1);                  \
        w0 = mcu_sxtb16(w0);          \
        w1 = mcu_sxtb16(w1);          \
        x0 = x[2];                    \
        x1 = x[3];                    \
        MULTIPLY(0);                  \
        MULTIPLY(1);                  \
        filter += 2;                  \
        x += 4;                       \
    } while (0)

/* All channels of 3 or 4 positions (`count`), whose inputs are prepared. */
MCU_INLINE void four_positions(int8_t *output, const int32_t *inputs, const struct mcu_conv_2d_dsp *p, int32_t count,
                               struct mcu_finish finish)
{
    const int32_t channels = p->out_channels;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const struct mcu_staircase *steps = p->steps;
    const int32_t *bias = p->bias;
    const int32_t *filter = p->filter;
    const int32_t *const unrolled = inputs + 8 * (p->words & ~3);
    const int32_t *const end = inputs + 8 * p->words;
    int8_t *const last = output + channels;
    while (output < last) {
        int32_t first0 = bias[0], second0 = bias[1];
        int32_t first1 = first0, first2 = first0, first3 = first0;
        int32_t second1 = second0, second2 = second0, second3 = second0;
        const int32_t *x = inputs;
        while (x != unrolled) {
            FOUR_TAPS_OF_4;
            FOUR_TAPS_OF_4;
            FOUR_TAPS_OF_4;
            FOUR_TAPS_OF_4;
        }
        while (x != end) {
            FOUR_TAPS_OF_4;
        }
        struct mcu_staircase here = *steps;
        output[0] = mcu_climb(first0, here, finish, minimum, maximum);
        output[channels] = mcu_climb(first1, here, finish, minimum, maximum);
        output[2 * channels] = mcu_climb(first2, here, finish, minimum, maximum);
        if (count > 3) {
            output[3 * channels] = mcu_climb(first3, here, finish, minimum, maximum);
        }
        steps += p->step_stride;
        output += 1;
        if (output == last) {
            break;
        }
        here = *steps;
        output[0] = mcu_climb(second0, here, finish, minimum, maximum);
        output[channels] = mcu_climb(second1, here, finish, minimum, maximum);
        output[2 * channels] = mcu_climb(second2, here, finish, minimum, maximum);
        if (count > 3) {
            output[3 * channels] = mcu_climb(second3, here, finish, minimum, maximum);
        }
        steps += p->step_stride;
        output += 1;
        bias += 2;
    }
}

/* The same for 1 or 2 positions. */
MCU_INLINE void two_positions(int8_t *output, const int32_t *inputs, const struct mcu_conv_2d_dsp *p, int32_t count,
                              struct mcu_finish finish)
{
    const int32_t channels = p->out_channels;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const struct mcu_staircase *steps = p->steps;
    const int32_t *bias = p->bias;
    const int32_t *filter = p->filter;
    const int32_t *const end = inputs + 4 * p->words;
    int8_t *const last = output + channels;
    while (output < last) {
        int32_t first0 = bias[0], second0 = bias[1];
        int32_t first1 = first0, second1 = second0;
        const int32_t *x = inputs;
        while (x != end) {
            FOUR_TAPS_OF_2;
        }
        struct mcu_staircase here = *steps;
        output[0] = mcu_climb(first0, here, finish, minimum, maximum);
        if (count > 1) {
            output[channels] = mcu_climb(first1, here, finish, minimum, maximum);
        }
        steps += p->step_stride;
        output += 1;
        if (output == last) {
            break;
        }
        here = *steps;
        output[0] = mcu_climb(second0, here, finish, minimum, maximum);
        if (count > 1) {
            output[channels] = mcu_climb(second1, here, finish, minimum, maximum);
        }
        steps += p->step_stride;
        output += 1;
        bias += 2;
    }
}

/* All channels of 4 positions: pairs of channels by a loop of its own where it knows how outputs end. */
MCU_INLINE void four_whole_positions(int8_t *output, const int32_t *inputs, const struct mcu_conv_2d_dsp *p,
                                     struct mcu_finish finish)
{
    const int32_t channels = p->out_channels;
    const int32_t *const end = inputs + 8 * p->words;
    struct mcu_four_positions four = {
        p->filter, p->bias, p->steps,          p->step_stride, inputs, end - 8 * (p->words & 3),
        end,       output,  output + channels, channels};
    if (finish.signs) {
        mcu_four_positions_signs(&four);
    } else {
        mcu_four_positions_plain(&four);
    }
}

/* Prepares four bytes; those of `positions` positions lie side by side. */
MCU_INLINE int32_t *prepare(int32_t *to, int32_t word, int32_t positions)
{
    to[0] = mcu_sxtb16(word);
    to[positions] = word ^ MCU_DSP_FLIP;
    return to + 2 * positions;
}

static __attribute__((noinline)) int32_t *prepare_run(int32_t *to, const int8_t *from, int32_t bytes, int32_t positions)
{
    const int8_t *const end = from + bytes;
    while (from != end) {
        to = prepare(to, mcu_load_4(from), positions);
        from += 4;
    }
    return to;
}

static int32_t *prepare_fill(int32_t *to, int32_t value, int32_t bytes, int32_t positions)
{
    const int32_t word = (int32_t)((uint32_t)(value & 0xff) * 0x01010101u);
    for (; bytes > 0; bytes -= 4) {
        to = prepare(to, word, positions);
    }
    return to;
}

/* The window at (top, left), whose columns are multiples of four bytes or all inside the image. */
static void prepare_window(int32_t *to, const int8_t *image, const struct mcu_conv_2d_dsp *p, int32_t top, int32_t left,
                           int32_t positions)
{
    const struct mcu_window *const w = &p->window;
    const int32_t channels = w->in_channels;
    const int32_t over = left + w->kernel_width - w->in_width;
    const int32_t before = left < 0 ? (left < -w->kernel_width ? w->kernel_width : -left) : 0;
    const int32_t after = over > 0 ? (over > w->kernel_width ? w->kernel_width : over) : 0;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        const int32_t y = top + i * w->dilation_height;
        if (y < 0 || y >= w->in_height || before + after >= w->kernel_width) {
            to = prepare_fill(to, p->in_zero_point, w->kernel_width * channels, positions);
        } else {
            const int8_t *const from = image + (y * w->in_width + left + before) * channels;
            to = prepare_fill(to, p->in_zero_point, before * channels, positions);
            to = prepare_run(to, from, (w->kernel_width - before - after) * channels, positions);
            to = prepare_fill(to, p->in_zero_point, after * channels, positions);
        }
    }
}

/* The same for four positions at once. */
static __attribute__((noinline)) int32_t *prepare_four(int32_t *to, const int8_t *const from[POSITIONS], int32_t offset,
                                                       int32_t bytes)
{
    const int8_t *const end = from[0] + offset + bytes;
    const int8_t *a = from[0] + offset, *b = from[1] + offset, *c = from[2] + offset, *d = from[3] + offset;
    for (; a != end; a += 4) {
        const int32_t x0 = mcu_load_4(a), x1 = mcu_load_4(b), x2 = mcu_load_4(c), x3 = mcu_load_4(d);
        to[0] = mcu_sxtb16(x0);
        to[1] = mcu_sxtb16(x1);
        to[2] = mcu_sxtb16(x2);
        to[3] = mcu_sxtb16(x3);
        to[4] = x0 ^ MCU_DSP_FLIP;
        to[5] = x1 ^ MCU_DSP_FLIP;
        to[6] = x2 ^ MCU_DSP_FLIP;
        to[7] = x3 ^ MCU_DSP_FLIP;
        to += 8;
        b += 4;
        c += 4;
        d += 4;
    }
    return to;
}

MCU_INLINE void copy_4(int8_t *to, const int8_t *from)
{
    const int32_t word = mcu_load_4(from);
    __builtin_memcpy(to, &word, 4);
}

/* By words, the last of which may lie over the one before it. */
MCU_INLINE void copy_bytes(int8_t *to, const int8_t *from, int32_t bytes)
{
    if (bytes >= 4) {
        const int32_t last = bytes - 4;
        for (int32_t at = 0; at < last; at += 4) {
            copy_4(to + at, from + at);
        }
        copy_4(to + last, from + last);
        return;
    }
    for (; bytes > 0; --bytes) {
        *to++ = *from++;
        __asm__ volatile("" ::: "memory"); /* or compilers call memcpy, for three bytes */
    }
}

/* Any window, through `patch`; what follows its last tap meets zeros in the filter. */
static __attribute__((noinline)) void prepare_patch(int32_t *to, int8_t *patch, const int8_t *image,
                                                    const struct mcu_conv_2d_dsp *p, int32_t top, int32_t left,
                                                    int32_t positions)
{
    const struct mcu_window *const w = &p->window;
    const int32_t channels = w->in_channels;
    const int32_t dilation = w->dilation_width;
    const int32_t over = left + w->kernel_width - w->in_width;
    const int32_t before = left < 0 ? -left : 0;
    const int32_t inside = w->kernel_width - before - (over > 0 ? over : 0); /* columns, without dilation */
    const uint32_t fill = (uint32_t)(p->in_zero_point & 0xff) * 0x01010101u;
    const int32_t bottom = top + (w->kernel_height - 1) * w->dilation_height;
    if (dilation > 1 || inside < w->kernel_width || top < 0 || bottom >= w->in_height) {
        for (int32_t i = 0; i < p->words; ++i) {
            __builtin_memcpy(patch + 4 * i, &fill, 4);
        }
    }
    int8_t *at = patch + before * channels;
    for (int32_t i = 0; i < w->kernel_height; ++i) {
        const int32_t y = top + i * w->dilation_height;
        if (y >= 0 && y < w->in_height) {
            const int8_t *const row = image + (y * w->in_width + left) * channels;
            if (dilation == 1) {
                copy_bytes(at, row + before * channels, inside * channels);
            } else {
                for (int32_t j = 0; j < w->kernel_width; ++j) {
                    const int32_t x = j * dilation;
                    if (left + x >= 0 && left + x < w->in_width) {
                        copy_bytes(at + (j - before) * channels, row + x * channels, channels);
                    }
                }
            }
        }
        at += w->kernel_width * channels;
    }
    prepare_run(to, patch, 4 * p->words, positions);
}

MCU_INLINE void convolve(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *p, int32_t *scratch,
                         struct mcu_finish finish)
{
    const struct mcu_window *const w = &p->window;
    const int32_t channels = w->in_channels;
    const int32_t pitch = w->in_width * channels;
    const int32_t row_bytes = w->kernel_width * channels;
    const int32_t rows = (row_bytes & 3) == 0 && (w->dilation_width == 1 || w->kernel_width == 1);
    /* Of windows that lie inside the image; where windows are single rows of words at the borders too. */
    const int32_t last_top = w->in_height - (w->kernel_height - 1) * w->dilation_height - 1;
    const int32_t last_left = w->in_width - w->kernel_width;
    const int32_t words = (channels & 3) == 0;
    const int32_t pointwise = words && w->kernel_height * w->kernel_width == 1 &&
                              w->stride_height * w->stride_width == 1 && w->pad_top + w->pad_left == 0 &&
                              w->out_width == w->in_width;
    int8_t *const patch = (int8_t *)(scratch + 2 * POSITIONS * p->words);
    const int8_t *image = input;
    for (int32_t batch = 0; batch < w->batches; ++batch) {
        int32_t left_over = w->out_height * w->out_width;
        struct mcu_place at = {-w->pad_top, -w->pad_left, 0};
        const int8_t *run = image;
        while (left_over > 0) {
            const int32_t count = left_over < POSITIONS ? left_over : POSITIONS;
            const int32_t positions = count > 2 ? 4 : 2; /* one too many computes the last one again */
            struct mcu_place places[POSITIONS];
            const int8_t *from[POSITIONS];
            int32_t inside = rows && positions == POSITIONS;
            if (pointwise) {
                for (int32_t i = 0; i < positions; ++i) {
                    from[i] = run;
                    run += i < count - 1 ? channels : 0;
                }
                run += channels;
            } else if (!rows) {
                for (int32_t i = 0; i < positions; ++i) {
                    prepare_patch(scratch + i, patch, image, p, at.top, at.left, positions);
                    if (i < count - 1) {
                        at = mcu_next_place(at, w);
                    }
                }
                at = mcu_next_place(at, w);
            } else {
                for (int32_t i = 0; i < positions; ++i) {
                    places[i] = at;
                    from[i] = image + at.top * pitch + at.left * channels;
                    inside = inside && at.top >= 0 && at.top <= last_top && at.left >= 0 && at.left <= last_left;
                    if (i < count - 1) {
                        at = mcu_next_place(at, w);
                    }
                }
                at = mcu_next_place(at, w);
            }
            if (inside) {
                int32_t *to = scratch;
                for (int32_t i = 0; i < w->kernel_height; ++i) {
                    to = prepare_four(to, from, i * w->dilation_height * pitch, row_bytes);
                }
            } else if (pointwise) {
                for (int32_t i = 0; i < positions; ++i) {
                    prepare_run(scratch + i, from[i], channels, positions);
                }
            } else if (rows) {
                for (int32_t i = 0; i < positions; ++i) {
                    const int32_t left = places[i].left;
                    if (words || (left >= 0 && left <= last_left)) {
                        prepare_window(scratch + i, image, p, places[i].top, left, positions);
                    } else {
                        prepare_patch(scratch + i, patch, image, p, places[i].top, left, positions);
                    }
                }
            }
            if (count == 4 && !finish.limits && (p->out_channels & 1) == 0) {
                four_whole_positions(output, scratch, p, finish);
            } else if (positions == 4) {
                four_positions(output, scratch, p, count, finish);
            } else {
                two_positions(output, scratch, p, count, finish);
            }
            output += count * p->out_channels;
            left_over -= count;
        }
        image += w->in_height * w->in_width * channels;
    }
}

void mcu_conv_2d_dsp_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *parameters, int32_t *scratch)
{
    const struct mcu_finish finish = {0, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_conv_2d_dsp_signs_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *parameters,
                              int32_t *scratch)
{
    const struct mcu_finish finish = {1, 0};
    convolve(output, input, parameters, scratch, finish);
}

void mcu_conv_2d_dsp_limits_s8(int8_t *output, const int8_t *input, const struct mcu_conv_2d_dsp *parameters,
                               int32_t *scratch)
{
    const struct mcu_finish finish = {1, 1};
    convolve(output, input, parameters, scratch, finish);
}
