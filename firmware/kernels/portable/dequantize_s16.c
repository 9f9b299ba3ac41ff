#include "mcu_dequantize.h"

void mcu_dequantize_s16(float *output, const int16_t *input, const struct mcu_dequantize *parameters, size_t count)
{
    /* From the end, so that no element is overwritten before it was read where both start at the same place. */
    while (count-- != 0) {
        output[count] = parameters->scale * (float)(input[count] - parameters->offset);
    }
}
