#include "loops.h"

int32_t arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *params,
                                                      const cmsis_nn_dims *in_dims, const cmsis_nn_dims *filter_dims,
                                                      const cmsis_nn_dims *out_dims)
{
    (void)params, (void)in_dims, (void)filter_dims, (void)out_dims;
    return 0;
}

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(const cmsis_nn_context *ctx, const cmsis_nn_dw_conv_params *params,
                                                  const cmsis_nn_per_channel_quant_params *quant,
                                                  const cmsis_nn_dims *in_dims, const int8_t *in,
                                                  const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                                  const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                                  const cmsis_nn_dims *out_dims, int8_t *out)
{
    (void)ctx;
    if (params->ch_mult * in_dims->c != out_dims->c || filter_dims->c != out_dims->c || bias_dims->c != out_dims->c) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t n = 0; n < in_dims->n; n++, in += in_dims->h * in_dims->w * in_dims->c) {
        for (int32_t place = 0; place < out_dims->h * out_dims->w; place++) {
            int32_t top = place / out_dims->w * params->stride.h - params->padding.h;
            int32_t left = place % out_dims->w * params->stride.w - params->padding.w;
            for (int32_t channel = 0; channel < out_dims->c; channel++) {
                int32_t sum = bias ? bias[channel] : 0;
                for (int32_t tap = 0; tap < filter_dims->h * filter_dims->w; tap++) {
                    int32_t y = top + tap / filter_dims->w * params->dilation.h;
                    int32_t x = left + tap % filter_dims->w * params->dilation.w;
                    if (y >= 0 && y < in_dims->h && x >= 0 && x < in_dims->w) {
                        int32_t value = in[(y * in_dims->w + x) * in_dims->c + channel / params->ch_mult];
                        sum += filter[tap * out_dims->c + channel] * (value + params->input_offset);
                    }
                }
                sum = rounded(sum, quant->multiplier[channel], quant->shift[channel]) + params->output_offset;
                *out++ = limited(sum, params->activation.min, params->activation.max);
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
