#ifndef MCU_QUANTIZE_H
#define MCU_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

struct mcu_quantize {
    float scale;
    int32_t zero_point;
    int32_t minimum; /* of the output's type */
    int32_t maximum;
};

/* float32 to int8 or uint8: input / scale, rounded to the nearest integer (halves away from zero), plus the zero point,
 * saturated. What is infinite or too big for an integer saturates by its sign; NaN becomes the zero point. `output` may
 * start where `input` starts. The division is the only floating-point operation. */
void mcu_quantize(void *output, const float *input, const struct mcu_quantize *parameters, size_t count);

#endif
