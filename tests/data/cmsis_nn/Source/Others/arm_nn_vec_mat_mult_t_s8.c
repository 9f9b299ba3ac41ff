#include "dense.h"

/* One row. Called by the functions for dense layers alone, and compiled to round once: see mcu_harness.image.toolchain. */
void arm_nn_vec_mat_mult_t_s8(const cmsis_nn_fc_params *params, const int32_t *multiplier, const int32_t *shift,
                              int32_t step, const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
                              const int32_t *bias, int8_t *out)
{
    for (int32_t unit = 0; unit < filter_dims->c; unit++) {
        int32_t sum = bias ? bias[unit] : 0;
        for (int32_t depth = 0; depth < filter_dims->n; depth++) {
            sum += *filter++ * (in[depth] + params->input_offset);
        }
        sum = rounded(sum, multiplier[unit * step], shift[unit * step]) + params->output_offset;
        out[unit] = limited(sum, params->activation.min, params->activation.max);
    }
}
