#include "dense.h"

arm_cmsis_nn_status arm_fully_connected_per_channel_s8(
    const cmsis_nn_context *ctx, const cmsis_nn_fc_params *params, const cmsis_nn_per_channel_quant_params *quant,
    const cmsis_nn_dims *in_dims, const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int32_t *bias, const cmsis_nn_dims *out_dims, int8_t *out)
{
    (void)ctx, (void)bias_dims;
    for (int32_t row = 0; row < in_dims->n; row++, in += filter_dims->n, out += out_dims->c) {
        arm_nn_vec_mat_mult_t_s8(params, quant->multiplier, quant->shift, 1, in, filter_dims, filter, bias, out);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
