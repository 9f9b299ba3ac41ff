#include "mcu_functions_s16.h"

enum { LAST = 255 };

static int32_t scaled(int32_t value, const struct mcu_sigmoid_s16 *p)
{
    const int32_t half = p->right > 0 ? 1 << (p->right - 1) : 0;
    return (value * p->multiplier + half) >> p->right;
}

void mcu_logistic_s16(int16_t *output, const int16_t *input, const struct mcu_sigmoid_s16 *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const int32_t value = scaled(input[i], parameters);
        const uint32_t size = (uint32_t)(value < 0 ? -value : value);
        const uint32_t entry = size >> 9;
        uint32_t result = 0x7fffu << 10;
        if (entry < LAST) {
            const uint32_t here = parameters->table[entry];
            result = (here << 9) + (size & 0x1ffu) * (parameters->table[entry + 1] - here);
        }
        result = value >= 0 ? result + (1u << 9) : (1u << 25) - result + (1u << 9) - 1u;
        output[i] = (int16_t)(result >> 10);
    }
}

void mcu_tanh_s16(int16_t *output, const int16_t *input, const struct mcu_sigmoid_s16 *parameters, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const int32_t value = scaled(input[i], parameters);
        const uint32_t size = (uint32_t)(value < 0 ? -value : value);
        const uint32_t entry = size >> 8;
        int32_t result = 0xffff << 8;
        if (entry < LAST) {
            const uint32_t here = parameters->table[entry];
            result = (int32_t)((here << 8) + (size & 0xffu) * (parameters->table[entry + 1] - here));
        }
        result = value >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1;
        output[i] = (int16_t)(result >> 8);
    }
}
