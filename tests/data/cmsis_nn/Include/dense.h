#ifndef DENSE_H
#define DENSE_H

#include "loops.h"

void arm_nn_vec_mat_mult_t_s8(const cmsis_nn_fc_params *params, const int32_t *multiplier, const int32_t *shift,
                              int32_t step, const int8_t *in, const cmsis_nn_dims *filter_dims, const int8_t *filter,
                              const int32_t *bias, int8_t *out);

#endif
