#include "loops.h"

arm_cmsis_nn_status arm_elementwise_add_s8(const int8_t *first, const int8_t *second, int32_t first_offset,
                                           int32_t first_mult, int32_t first_shift, int32_t second_offset,
                                           int32_t second_mult, int32_t second_shift, int32_t left_shift, int8_t *out,
                                           int32_t out_offset, int32_t out_mult, int32_t out_shift, int32_t out_min,
                                           int32_t out_max, int32_t count)
{
    int32_t one = (int32_t)1 << left_shift;
    for (int32_t n = 0; n < count; n++) {
        int32_t sum = rounded((first[n] + first_offset) * one, first_mult, first_shift);
        sum += rounded((second[n] + second_offset) * one, second_mult, second_shift);
        out[n] = limited(rounded(sum, out_mult, out_shift) + out_offset, out_min, out_max);
    }
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_elementwise_mul_s8(const int8_t *first, const int8_t *second, int32_t first_offset,
                                           int32_t second_offset, int8_t *out, int32_t out_offset, int32_t out_mult,
                                           int32_t out_shift, int32_t out_min, int32_t out_max, int32_t count)
{
    for (int32_t n = 0; n < count; n++) {
        int32_t product = (first[n] + first_offset) * (second[n] + second_offset);
        out[n] = limited(rounded(product, out_mult, out_shift) + out_offset, out_min, out_max);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
