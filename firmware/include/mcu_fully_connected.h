#ifndef MCU_FULLY_CONNECTED_H
#define MCU_FULLY_CONNECTED_H

#include <stdint.h>

/* `bias` [units] already contains -input_zero_point * (sum of the unit's filter). Unit u uses number u * unit_step of
 * `multiplier`, `left` and `right`, unit_step 0 or 1: see mcu_requantize_once. */
struct mcu_fully_connected {
    const int8_t *filter;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *left;
    const int8_t *right;
    uint32_t rows;
    uint32_t depth;
    uint32_t units;
    int16_t unit_step;
    int16_t zero_point;
    int16_t minimum;
    int16_t maximum;
};

/* FULLY_CONNECTED, int8, rounding once: `rows` inputs of `depth` values each give `rows` outputs of `units`.
 *
 * `filter`: first the units in groups of four as [units / 4][depth][4], then the remaining as [units % 4][depth]. */
void mcu_fully_connected_s8(int8_t *output, const int8_t *input, const struct mcu_fully_connected *parameters);

#endif
