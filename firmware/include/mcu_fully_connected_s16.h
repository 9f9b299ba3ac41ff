#ifndef MCU_FULLY_CONNECTED_S16_H
#define MCU_FULLY_CONNECTED_S16_H

#include <stdint.h>

/* Unit u uses digits 3 * u * unit_step and on of `factor`, and number u * unit_step of `right`: see mcu_requantize_long_once.
 * Sums beyond `limit` saturate whatever they are. */
struct mcu_fully_connected_s16 {
    const int8_t *filter;
    const int64_t *bias;
    const uint16_t *factor;
    const uint8_t *right;
    int64_t limit;
    uint32_t rows;
    uint32_t depth;
    uint32_t units;
    int16_t unit_step;
    int16_t minimum;
    int16_t maximum;
};

/* FULLY_CONNECTED of int16 with filters [units][depth] of int8, rounding once. No zero points. */
void mcu_fully_connected_s16(int16_t *output, const int16_t *input, const struct mcu_fully_connected_s16 *parameters);

#endif
