#include "mcu_fully_connected.h"

#include "mcu_dot.h"

/* Writes the outputs of `count` units, `unit` being the first, from their sums. */
static __attribute__((noinline)) void finish(int8_t *output, const int32_t *sums, const struct mcu_fully_connected *p,
                                             int32_t unit, int32_t count)
{
    const int32_t step = p->unit_step;
    const int32_t zero_point = p->zero_point;
    const int32_t minimum = p->minimum;
    const int32_t maximum = p->maximum;
    const int32_t *multiplier = p->multiplier + unit * step;
    const int8_t *left = p->left + unit * step;
    const int8_t *right = p->right + unit * step;
    int8_t *const end = output + count;
    do {
        const int32_t value = mcu_requantize_once(*sums++, *multiplier, *left, *right) + zero_point;
        *output++ = (int8_t)mcu_clamp(value, minimum, maximum);
        multiplier += step;
        left += step;
        right += step;
    } while (output != end);
}

void mcu_fully_connected_s8(int8_t *output, const int8_t *input, const struct mcu_fully_connected *parameters)
{
    const struct mcu_fully_connected *const p = parameters;
    const int32_t depth = (int32_t)p->depth;
    const int32_t units = (int32_t)p->units;
    const int32_t grouped = units & ~3;
    const int32_t *const bias = p->bias;
    int32_t sums[4];
    for (uint32_t row = 0; row < p->rows; ++row) {
        const int8_t *filter = p->filter;
        int32_t unit = 0;
        while (unit != grouped) {
            mcu_dot_4(sums, bias + unit, input, filter, depth);
            finish(output + unit, sums, p, unit, 4);
            filter += 4 * depth;
            unit += 4;
        }
        while (unit != units) {
            sums[0] = mcu_dot_1(bias[unit], input, filter, depth);
            finish(output + unit, sums, p, unit, 1);
            filter += depth;
            unit += 1;
        }
        output += units;
        input += depth;
    }
}
