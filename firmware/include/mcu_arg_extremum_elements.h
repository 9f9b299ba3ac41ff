/* The text of the kernels of ARG_MAX and ARG_MIN: KERNEL is the name of one, PLACE the type of its outputs. */
#include "mcu_arg_extremum.h"

void KERNEL(PLACE *output, const int8_t *input, const struct mcu_arg_extremum *parameters)
{
    const struct mcu_arg_extremum *const p = parameters;
    for (uint32_t i = 0; i < p->outer; ++i) {
        for (uint32_t j = 0; j < p->inner; ++j) {
            uint32_t place = 0;
            int32_t found = input[j] * p->flip;
            for (uint32_t k = 1; k < p->size; ++k) {
                const int32_t value = input[k * p->inner + j] * p->flip;
                if (value > found) {
                    found = value;
                    place = k;
                }
            }
            *output++ = (PLACE)place;
        }
        input += p->size * p->inner;
    }
}
