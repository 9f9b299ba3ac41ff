#include "mcu_fully_connected_dsp.h"

#include "mcu_loops.h"

/* The arithmetic is that of conv_2d_s8.c; inputs are prepared in the loop, as each meets four filters at once. */

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

MCU_INLINE void multiply(struct mcu_four_units *units, struct mcu_finish finish)
{
    if (finish.signs) {
        mcu_four_units_signs(units);
    } else {
        mcu_four_units_plain(units);
    }
}

MCU_INLINE void connect(int8_t *output, const int8_t *input, const struct mcu_fully_connected_dsp *p,
                        struct mcu_finish finish)
{
    const uint32_t units = p->units, whole = units & ~3u;
    const int32_t rest = (int32_t)p->depth & 3;
    const int32_t words = (int32_t)p->depth >> 2;
    for (uint32_t row = 0; row < p->rows; ++row) {
        struct mcu_four_units four = {
            p->filter, p->bias,       p->steps, p->step_stride * (int32_t)sizeof(struct mcu_staircase),
            input,     words,         rest,     rest ? last_inputs(input + 4 * words, rest) : 0,
            output,    output + whole};
        if (whole) {
            multiply(&four, finish);
        }
        if (units > whole) {
            int8_t last[4];
            four.output = last;
            four.last = last + 4;
            multiply(&four, finish);
            for (uint32_t k = whole; k < units; ++k) {
                output[k] = last[k - whole];
            }
        }
        if (finish.limits) { /* outputs that were cut off at -128 and 127 are so between these too */
            for (uint32_t k = 0; k < units; ++k) {
                output[k] = (int8_t)mcu_clamp(output[k], p->minimum, p->maximum);
            }
        }
        output += units;
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
