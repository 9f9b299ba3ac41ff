#include "mcu_fully_connected_dsp.h"

/* The arithmetic is that of conv_2d_s8.c; inputs are prepared in the loop, as each meets four filters at once. */

#define FLIP 0x007f007f

/* The last one to three inputs of a row as a word; what is missing meets zeros in the filter. */
static int32_t last_inputs(const int8_t *input, int32_t count)
{
    uint32_t word = (uint8_t)input[0];
    if (count > 1) {
        word |= (uint32_t)(uint8_t)input[1] << 8;
    }
    if (count > 2) {
        word |= (uint32_t)(uint8_t)input[2] << 16;
    }
    return (int32_t)word;
}

#define FOUR_INPUTS(inputs)                     \
    do {                                        \
        const int32_t word = (inputs);          \
        const int32_t even = mcu_sxtb16(word);  \
        const int32_t odd = word ^ FLIP;        \
        int32_t w0 = filter[0], w1 = filter[1]; \
        s0 = mcu_smlad(w0, even, s0);           \
        s1 = mcu_smlad(w1, even, s1);           \
        w0 = mcu_sxtb16(w0);                    \
        w1 = mcu_sxtb16(w1);                    \
        s0 = mcu_smlad(w0, odd, s0);            \
        s1 = mcu_smlad(w1, odd, s1);            \
        w0 = filter[2];                         \
        w1 = filter[3];                         \
        s2 = mcu_smlad(w0, even, s2);           \
        s3 = mcu_smlad(w1, even, s3);           \
        w0 = mcu_sxtb16(w0);                    \
        w1 = mcu_sxtb16(w1);                    \
        s2 = mcu_smlad(w0, odd, s2);            \
        s3 = mcu_smlad(w1, odd, s3);            \
        filter += 4;                            \
    } while (0)

MCU_INLINE void connect(int8_t *output, const int8_t *input, const struct mcu_fully_connected_dsp *p,
                        struct mcu_finish finish)
{
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const int32_t units = (int32_t)p->units;
    const int32_t rest = (int32_t)p->depth & 3;
    for (uint32_t row = 0; row < p->rows; ++row) {
        const int8_t *const whole = input + p->depth - rest;
        const int8_t *const unrolled = input + (p->depth & ~15u);
        const struct mcu_staircase *steps = p->steps;
        const int32_t *bias = p->bias;
        const int32_t *filter = p->filter;
        for (int32_t left = units; left > 0; left -= 4) {
            int32_t s0 = bias[0], s1 = bias[1], s2 = bias[2], s3 = bias[3];
            const int8_t *x = input;
            while (x != unrolled) {
                FOUR_INPUTS(mcu_load_4(x));
                FOUR_INPUTS(mcu_load_4(x + 4));
                FOUR_INPUTS(mcu_load_4(x + 8));
                FOUR_INPUTS(mcu_load_4(x + 12));
                x += 16;
            }
            while (x != whole) {
                FOUR_INPUTS(mcu_load_4(x));
                x += 4;
            }
            if (rest) {
                FOUR_INPUTS(last_inputs(x, rest));
            }
            const int32_t sums[4] = {s0, s1, s2, s3};
            for (int32_t k = 0; k < 4 && k < left; ++k) {
                *output++ = mcu_climb(sums[k], *steps, finish, minimum, maximum);
                steps += p->step_stride;
            }
            bias += 4;
        }
        input += p->depth;
    }
}

void mcu_fully_connected_dsp_s8(int8_t *output, const int8_t *input, const struct mcu_fully_connected_dsp *parameters)
{
    const struct mcu_finish finish = {0, 0};
    connect(output, input, parameters, finish);
}

void mcu_fully_connected_dsp_signs_s8(int8_t *output, const int8_t *input,
                                      const struct mcu_fully_connected_dsp *parameters)
{
    const struct mcu_finish finish = {1, 0};
    connect(output, input, parameters, finish);
}

void mcu_fully_connected_dsp_limits_s8(int8_t *output, const int8_t *input,
                                       const struct mcu_fully_connected_dsp *parameters)
{
    const struct mcu_finish finish = {1, 1};
    connect(output, input, parameters, finish);
}
