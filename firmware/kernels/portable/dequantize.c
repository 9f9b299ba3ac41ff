#include "mcu_dequantize.h"

void mcu_dequantize(float *output, const void *input, const struct mcu_dequantize *parameters, size_t count)
{
    const uint8_t *from = input;
    const float scale = parameters->scale;
    const uint32_t flip = parameters->flip;
    const int32_t offset = parameters->offset;
    /* From the end, so that no byte is overwritten before it was read where both start at the same place. */
    while (count-- != 0) {
        output[count] = scale * (float)((int32_t)(from[count] ^ flip) - offset);
    }
}
