#ifndef MCU_LOG_SOFTMAX_H
#define MCU_LOG_SOFTMAX_H

#include <stdint.h>

/* `exponentials` [entries] as in struct mcu_softmax; `differences` [entries]: -d * scale for d = 0, 1, ... with 26 fractional
 * bits. `reverse_multiplier` and `reverse_right` lead back from those to d: see mcu_requantize_twice. */
struct mcu_log_softmax {
    const int32_t *exponentials;
    const int32_t *differences;
    uint32_t entries;
    uint32_t rows;
    uint32_t depth;
    int32_t least; /* the smallest difference of two bytes, minus one, that counts */
    int32_t reverse_multiplier;
    int32_t reverse_right;
};

/* LOG_SOFTMAX over the last dimension, int8 to int8 with scale 1/16 and zero point 127. `output` may be `input`. */
void mcu_log_softmax_s8(int8_t *output, const int8_t *input, const struct mcu_log_softmax *parameters);

#endif
