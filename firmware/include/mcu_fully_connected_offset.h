#ifndef MCU_FULLY_CONNECTED_OFFSET_H
#define MCU_FULLY_CONNECTED_OFFSET_H

#include "mcu_fully_connected.h"

/* `dense` as in mcu_fully_connected.h, but its filter has the zero point `filter_zero_point`: `dense.bias` [units] holds
 * -input_zero_point * (sum of the unit's filter) + depth * input_zero_point * filter_zero_point besides the model's. */
struct mcu_fully_connected_offset {
    struct mcu_fully_connected dense;
    int32_t filter_zero_point;
};

/* FULLY_CONNECTED, int8 with a filter that has a zero point, as models of uint8 have it; rounding once. */
void mcu_fully_connected_offset_s8(int8_t *output, const int8_t *input,
                                   const struct mcu_fully_connected_offset *parameters);

#endif
