#ifndef MCU_ADD_FITTED_H
#define MCU_ADD_FITTED_H

#include <stdint.h>

/* (first * multiplier[0] + second * multiplier[1] + add) >> shift, saturated: numbers for which this is what mcu_add_s8
 * gives for all pairs of bytes (harness/mcu_harness/model/codegen/fitted/add.py). */
struct mcu_add_fitted {
    int32_t multiplier[2];
    int32_t add;
    uint32_t length;
    int16_t shift;
    int16_t minimum;
    int16_t maximum;
};

/* ADD and SUB of two tensors of one shape, int8, `length` elements. `output` may be an operand. */
void mcu_add_fitted_s8(int8_t *output, const int8_t *first, const int8_t *second,
                       const struct mcu_add_fitted *parameters);

#endif
