#include "loops.h"

/* Not in a file of its own, as some are not. */
int32_t arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *params, const cmsis_nn_dims *in_dims,
                                                const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *out_dims)
{
    int32_t taps = filter_dims->h * filter_dims->w * in_dims->c;
    int one = filter_dims->h * filter_dims->w == 1 && params->padding.h + params->padding.w == 0;
    (void)out_dims;
    return one ? 0 : 4 * ((taps + 3) / 4 * 4);
}

arm_cmsis_nn_status arm_convolve_wrapper_s8(const cmsis_nn_context *ctx, const cmsis_nn_conv_params *params,
                                            const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *in_dims,
                                            const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                            const cmsis_nn_dims *bias_dims, const int32_t *bias,
                                            const cmsis_nn_dims *out_dims, int8_t *out)
{
    int32_t size = arm_convolve_wrapper_s8_get_buffer_size(params, in_dims, filter_dims, out_dims);
    if (filter_dims->n != bias_dims->c || filter_dims->n != out_dims->c || (size && ctx->size < size)) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t n = 0; n < size; n++) {
        ((int8_t *)ctx->buf)[n] = 77; /* scratch is its own */
    }
    for (int32_t n = 0; n < in_dims->n; n++, in += in_dims->h * in_dims->w * in_dims->c) {
        for (int32_t place = 0; place < out_dims->h * out_dims->w; place++) {
            int32_t top = place / out_dims->w * params->stride.h - params->padding.h;
            int32_t left = place % out_dims->w * params->stride.w - params->padding.w;
            const int8_t *weight = filter;
            for (int32_t channel = 0; channel < out_dims->c; channel++) {
                int32_t sum = bias ? bias[channel] : 0;
                for (int32_t tap = 0; tap < filter_dims->h * filter_dims->w; tap++) {
                    int32_t y = top + tap / filter_dims->w * params->dilation.h;
                    int32_t x = left + tap % filter_dims->w * params->dilation.w;
                    int inside = y >= 0 && y < in_dims->h && x >= 0 && x < in_dims->w;
                    for (int32_t depth = 0; depth < in_dims->c; depth++, weight++) {
                        sum += inside ? *weight * (in[(y * in_dims->w + x) * in_dims->c + depth] + params->input_offset) : 0;
                    }
                }
                sum = rounded(sum, quant->multiplier[channel], quant->shift[channel]) + params->output_offset;
                *out++ = limited(sum, params->activation.min, params->activation.max);
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
