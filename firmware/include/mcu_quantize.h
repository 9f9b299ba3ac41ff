#ifndef MCU_QUANTIZE_H
#define MCU_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

struct mcu_quantize {
    float scale;         /* a normal number above 0: significand * 2^(exponent - 150), 2^23 <= significand < 2^24 */
    int32_t exponent;    /* of the scale, biased by 127 */
    uint32_t reciprocal; /* floor(2^39 / significand) */
    int32_t zero_point;
    int32_t minimum; /* of the output's type */
    int32_t maximum;
};

/* float32 to int8 or uint8: the float32 quotient input / scale, rounded to the nearest integer (halves away from zero),
 * plus the zero point, saturated. What is infinite or too big for an integer saturates by its sign; NaN becomes the
 * zero point. `output` may start where `input` starts. */
void mcu_quantize(void *output, const float *input, const struct mcu_quantize *parameters, size_t count);

/* The same to int16. */
void mcu_quantize_s16(int16_t *output, const float *input, const struct mcu_quantize *parameters, size_t count);

#endif
