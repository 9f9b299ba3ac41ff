#ifndef ARM_NNFUNCTIONS_H
#define ARM_NNFUNCTIONS_H

#include "arm_nn_types.h"

arm_cmsis_nn_status arm_convolve_wrapper_s8(const cmsis_nn_context *ctx, const cmsis_nn_conv_params *params,
                                            const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *in_dims,
                                            const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                            const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                            const cmsis_nn_dims *out_dims, int8_t *out);
int32_t arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *params, const cmsis_nn_dims *in_dims,
                                                const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *out_dims);

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(const cmsis_nn_context *ctx, const cmsis_nn_dw_conv_params *params,
                                                  const cmsis_nn_per_channel_quant_params *quant,
                                                  const cmsis_nn_dims *in_dims, const int8_t *in,
                                                  const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                                  const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                                  const cmsis_nn_dims *out_dims, int8_t *out);
int32_t arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *params,
                                                      const cmsis_nn_dims *in_dims, const cmsis_nn_dims *filter_dims,
                                                      const cmsis_nn_dims *out_dims);

arm_cmsis_nn_status arm_fully_connected_s8(const cmsis_nn_context *ctx, const cmsis_nn_fc_params *params,
                                           const cmsis_nn_per_tensor_quant_params *quant, const cmsis_nn_dims *in_dims,
                                           const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                           const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                           const cmsis_nn_dims *out_dims, int8_t *out);
arm_cmsis_nn_status arm_fully_connected_per_channel_s8(
    const cmsis_nn_context *ctx, const cmsis_nn_fc_params *params, const cmsis_nn_per_channel_quant_params *quant,
    const cmsis_nn_dims *in_dims, const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int32_t *bias, const cmsis_nn_dims *out_dims, int8_t *out);

arm_cmsis_nn_status arm_avgpool_s8(const cmsis_nn_context *ctx, const cmsis_nn_pool_params *params,
                                   const cmsis_nn_dims *in_dims, const int8_t *in, const cmsis_nn_dims *filter_dims,
                                   const cmsis_nn_dims *out_dims, int8_t *out);
int32_t arm_avgpool_s8_get_buffer_size(int out_width, int channels);
arm_cmsis_nn_status arm_max_pool_s8(const cmsis_nn_context *ctx, const cmsis_nn_pool_params *params,
                                    const cmsis_nn_dims *in_dims, const int8_t *in, const cmsis_nn_dims *filter_dims,
                                    const cmsis_nn_dims *out_dims, int8_t *out);

arm_cmsis_nn_status arm_elementwise_add_s8(const int8_t *first, const int8_t *second, int32_t first_offset,
                                           int32_t first_mult, int32_t first_shift, int32_t second_offset,
                                           int32_t second_mult, int32_t second_shift, int32_t left_shift, int8_t *out,
                                           int32_t out_offset, int32_t out_mult, int32_t out_shift, int32_t out_min,
                                           int32_t out_max, int32_t count);
arm_cmsis_nn_status arm_elementwise_mul_s8(const int8_t *first, const int8_t *second, int32_t first_offset,
                                           int32_t second_offset, int8_t *out, int32_t out_offset, int32_t out_mult,
                                           int32_t out_shift, int32_t out_min, int32_t out_max, int32_t count);
void arm_softmax_s8(const int8_t *in, int32_t rows, int32_t depth, int32_t mult, int32_t shift, int32_t diff_min,
                    int8_t *out);

#endif
