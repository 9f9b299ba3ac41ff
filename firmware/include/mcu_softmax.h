#ifndef MCU_SOFTMAX_H
#define MCU_SOFTMAX_H

#include <stdint.h>

/* `exponentials` [entries]: exp(-d * scale * beta) for d = 0, 1, ..., with 31 fractional bits, as the reference's
 * fixed-point exponential has it; larger differences count as 0. `rows` times `depth` values. */
struct mcu_softmax {
    const int32_t *exponentials;
    uint32_t entries;
    uint32_t rows;
    uint32_t depth;
};

/* SOFTMAX over the last dimension, int8 to int16 with scale 1/65536 and zero point -32768. */
void mcu_softmax_s8_s16(int16_t *output, const int8_t *input, const struct mcu_softmax *parameters);

/* SOFTMAX over the last dimension, int8 to int8 with scale 1/256 and zero point -128. `output` may be `input`. */
void mcu_softmax_s8(int8_t *output, const int8_t *input, const struct mcu_softmax *parameters);

#endif
