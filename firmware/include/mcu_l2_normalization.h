#ifndef MCU_L2_NORMALIZATION_H
#define MCU_L2_NORMALIZATION_H

#include <stdint.h>

struct mcu_l2_normalization {
    uint32_t rows;
    uint32_t depth;
    int32_t zero_point;
};

/* L2_NORMALIZATION over the last dimension, int8 to int8 with scale 1/128 and zero point 0, rounding twice. */
void mcu_l2_normalization_s8(int8_t *output, const int8_t *input, const struct mcu_l2_normalization *parameters);

#endif
