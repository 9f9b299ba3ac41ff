#ifndef MCU_SVDF_H
#define MCU_SVDF_H

#include <stdint.h>

/* `feature_weights` [filters][inputs], `time_weights` [filters][memory] of the state's type, `bias` [filters / rank], which is
 * added to what `rank` filters give. `in_zero_point` is taken off every input, `state_zero_point` off every state. See
 * mcu_requantize_twice for multipliers. */
struct mcu_svdf {
    const int8_t *feature_weights;
    const void *time_weights;
    const int32_t *bias;
    uint32_t batches;
    uint32_t inputs;
    uint32_t filters;
    uint32_t rank;
    uint32_t memory;
    int32_t feature_multiplier;
    int32_t out_multiplier;
    int8_t feature_right;
    int8_t out_right;
    int16_t in_zero_point;
    int16_t state_zero_point;
    int16_t out_zero_point;
};

/* SVDF, int8: every filter's newest feature enters its memory, and the memory's products with the filter's weights over time
 * are the output. `state` [batches][filters][memory] keeps its values between calls: int16 as in TensorFlow Lite, or int8
 * as in TensorFlow Lite Micro. Sums over time wrap at 32 bits. */
void mcu_svdf_s8_state_s16(int8_t *output, const int8_t *input, int16_t *state, const struct mcu_svdf *parameters);
void mcu_svdf_s8_state_s8(int8_t *output, const int8_t *input, int8_t *state, const struct mcu_svdf *parameters);

#endif
