#include "mcu_fully_connected_pairs.h"

#include "mcu_loops.h"

MCU_INLINE void connect(int8_t *output, const int8_t *input, const struct mcu_fully_connected_pairs *p,
                        struct mcu_finish finish)
{
    const int32_t minimum = p->minimum, maximum = p->maximum;
    const int32_t units = (int32_t)p->units;
    const int32_t depth = (int32_t)p->depth;
    const int32_t whole = depth & ~3;
    const int32_t step = p->step_stride;
    for (uint32_t row = 0; row < p->rows; ++row) {
        const struct mcu_staircase *steps = p->steps;
        const int32_t *bias = p->bias;
        const int8_t *filter = p->filter;
        for (int32_t left = units; left > 0; left -= 4) {
            int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
            if (whole) {
                mcu_multiply_four_units(sums, input, filter, whole);
            }
            filter += 4 * whole;
            for (int32_t i = whole; i < depth; ++i) {
                for (int32_t k = 0; k < 4; ++k) {
                    sums[k] += input[i] * *filter++;
                }
            }
            const int32_t count = left < 4 ? left : 4;
            for (int32_t k = 0; k < count; ++k) {
                *output++ = mcu_pair_climb(sums[k], *steps, finish, minimum, maximum);
                steps += step;
            }
            bias += 4;
        }
        input += depth;
    }
}

void mcu_fully_connected_pairs_s8(int8_t *output, const int8_t *input,
                                  const struct mcu_fully_connected_pairs *parameters)
{
    const struct mcu_finish finish = {0, 0};
    connect(output, input, parameters, finish);
}

void mcu_fully_connected_pairs_signs_s8(int8_t *output, const int8_t *input,
                                        const struct mcu_fully_connected_pairs *parameters)
{
    const struct mcu_finish finish = {1, 0};
    connect(output, input, parameters, finish);
}

void mcu_fully_connected_pairs_limits_s8(int8_t *output, const int8_t *input,
                                         const struct mcu_fully_connected_pairs *parameters)
{
    const struct mcu_finish finish = {1, 1};
    connect(output, input, parameters, finish);
}
