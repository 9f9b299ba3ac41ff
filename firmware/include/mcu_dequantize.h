#ifndef MCU_DEQUANTIZE_H
#define MCU_DEQUANTIZE_H

#include <stddef.h>
#include <stdint.h>

struct mcu_dequantize {
    float scale;
    uint32_t flip;  /* 0x80 for int8, 0 for uint8 */
    int32_t offset; /* zero point + flip */
};

/* int8 or uint8 to float32: scale * (input - zero point), rounded once. `output` may start where `input` starts. */
void mcu_dequantize(float *output, const void *input, const struct mcu_dequantize *parameters, size_t count);

/* DEQUANTIZE of int16; `offset` is the zero point. */
void mcu_dequantize_s16(float *output, const int16_t *input, const struct mcu_dequantize *parameters, size_t count);

#endif
