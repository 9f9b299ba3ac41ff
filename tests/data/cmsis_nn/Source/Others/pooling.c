#include "loops.h"

int32_t arm_avgpool_s8_get_buffer_size(int out_width, int channels)
{
    (void)out_width, (void)channels;
    return 0;
}

static void pool(const cmsis_nn_pool_params *params, const cmsis_nn_dims *in_dims, const int8_t *in,
                 const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *out_dims, int8_t *out, int average)
{
    for (int32_t place = 0; place < out_dims->h * out_dims->w; place++) {
        int32_t top = place / out_dims->w * params->stride.h - params->padding.h;
        int32_t left = place % out_dims->w * params->stride.w - params->padding.w;
        for (int32_t channel = 0; channel < in_dims->c; channel++) {
            int32_t sum = 0, count = 0, most = -128;
            for (int32_t tap = 0; tap < filter_dims->h * filter_dims->w; tap++) {
                int32_t y = top + tap / filter_dims->w, x = left + tap % filter_dims->w;
                if (y >= 0 && y < in_dims->h && x >= 0 && x < in_dims->w) {
                    int32_t value = in[(y * in_dims->w + x) * in_dims->c + channel];
                    sum += value;
                    most = value > most ? value : most;
                    count++;
                }
            }
            sum = (sum + (sum > 0 ? count / 2 : -(count / 2))) / count;
            *out++ = limited(average ? sum : most, params->activation.min, params->activation.max);
        }
    }
}

arm_cmsis_nn_status arm_avgpool_s8(const cmsis_nn_context *ctx, const cmsis_nn_pool_params *params,
                                   const cmsis_nn_dims *in_dims, const int8_t *in, const cmsis_nn_dims *filter_dims,
                                   const cmsis_nn_dims *out_dims, int8_t *out)
{
    (void)ctx;
    pool(params, in_dims, in, filter_dims, out_dims, out, 1);
    return ARM_CMSIS_NN_SUCCESS;
}

arm_cmsis_nn_status arm_max_pool_s8(const cmsis_nn_context *ctx, const cmsis_nn_pool_params *params,
                                    const cmsis_nn_dims *in_dims, const int8_t *in, const cmsis_nn_dims *filter_dims,
                                    const cmsis_nn_dims *out_dims, int8_t *out)
{
    (void)ctx;
    pool(params, in_dims, in, filter_dims, out_dims, out, 0);
    return ARM_CMSIS_NN_SUCCESS;
}
