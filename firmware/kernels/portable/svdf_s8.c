#include "mcu_svdf.h"

#include "mcu_requantize.h"

MCU_INLINE int32_t element(const void *values, uint32_t at, int wide)
{
    return wide ? ((const int16_t *)values)[at] : ((const int8_t *)values)[at];
}

MCU_INLINE void set_element(void *values, uint32_t at, int32_t value, int wide)
{
    if (wide) {
        ((int16_t *)values)[at] = (int16_t)value;
    } else {
        ((int8_t *)values)[at] = (int8_t)value;
    }
}

/* The newest feature of a filter. */
MCU_INLINE int32_t feature(const int8_t *input, const int8_t *weights, const struct mcu_svdf *p, int wide)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < p->inputs; ++i) {
        sum += (input[i] - p->in_zero_point) * weights[i];
    }
    const int32_t limit = wide ? INT16_MAX : INT8_MAX;
    const int32_t value = mcu_requantize_twice(sum, p->feature_multiplier, p->feature_right);
    return mcu_clamp(value, -limit - 1, limit) + p->state_zero_point;
}

MCU_INLINE void svdf(int8_t *output, const int8_t *input, void *state, const struct mcu_svdf *p, int wide)
{
    for (uint32_t b = 0; b < p->batches; ++b) {
        uint32_t filter = 0;
        for (uint32_t unit = 0; filter < p->filters; ++unit) {
            uint32_t sum = (uint32_t)p->bias[unit];
            for (uint32_t r = 0; r < p->rank; ++r) {
                const uint32_t memory = (b * p->filters + filter) * p->memory;
                for (uint32_t i = 1; i < p->memory; ++i) {
                    set_element(state, memory + i - 1, element(state, memory + i, wide), wide);
                }
                const int32_t newest = feature(input, p->feature_weights + filter * p->inputs, p, wide);
                set_element(state, memory + p->memory - 1, newest, wide);
                for (uint32_t i = 0; i < p->memory; ++i) {
                    sum += (uint32_t)((element(state, memory + i, wide) - p->state_zero_point) *
                                      element(p->time_weights, filter * p->memory + i, wide));
                }
                ++filter;
            }
            const int32_t value = mcu_requantize_twice((int32_t)sum, p->out_multiplier, p->out_right);
            *output++ = (int8_t)mcu_clamp(value + p->out_zero_point, INT8_MIN, INT8_MAX);
        }
        input += p->inputs;
    }
}

void mcu_svdf_s8_state_s16(int8_t *output, const int8_t *input, int16_t *state, const struct mcu_svdf *parameters)
{
    svdf(output, input, state, parameters, 1);
}

void mcu_svdf_s8_state_s8(int8_t *output, const int8_t *input, int8_t *state, const struct mcu_svdf *parameters)
{
    svdf(output, input, state, parameters, 0);
}
