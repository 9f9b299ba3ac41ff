#include "mcu_cast.h"

void mcu_cast_s16_f32(float *output, const int16_t *input, size_t count)
{
    /* From the end, so that no element is overwritten before it was read where both start at the same place. */
    while (count-- != 0) {
        output[count] = (float)input[count];
    }
}

void mcu_cast_s32_f32(float *output, const int32_t *input, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        output[i] = (float)input[i];
    }
}
