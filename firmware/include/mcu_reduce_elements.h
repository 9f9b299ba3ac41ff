/* The text of the kernels of REDUCE_MAX and REDUCE_MIN: LARGEST and SMALLEST are their names, ELEMENT the type of elements. */
#include "mcu_reduce.h"

#include "mcu_requantize.h"

/* The largest element of the reduced loops; with `flip` -1 the smallest one. */
MCU_INLINE int32_t extreme(const ELEMENT *input, const struct mcu_reduce *p, int32_t flip)
{
    int32_t found = *input * flip;
    for (int32_t i = 0; i < p->reduced_counts[0]; ++i) {
        for (int32_t j = 0; j < p->reduced_counts[1]; ++j) {
            int32_t at = i * p->reduced_steps[0] + j * p->reduced_steps[1];
            for (int32_t left = p->reduced_counts[2]; left != 0; --left) {
                const int32_t value = input[at] * flip;
                found = value > found ? value : found;
                at += p->reduced_steps[2];
            }
        }
    }
    return found * flip;
}

MCU_INLINE void reduce(ELEMENT *output, const ELEMENT *input, const struct mcu_reduce *p, int32_t flip)
{
    for (int32_t i = 0; i < p->kept_counts[0]; ++i) {
        for (int32_t j = 0; j < p->kept_counts[1]; ++j) {
            const ELEMENT *first = input + i * p->kept_steps[0] + j * p->kept_steps[1];
            for (int32_t left = p->kept_counts[2]; left != 0; --left) {
                *output++ = (ELEMENT)extreme(first, p, flip);
                first += p->kept_steps[2];
            }
        }
    }
}

void LARGEST(ELEMENT *output, const ELEMENT *input, const struct mcu_reduce *parameters)
{
    reduce(output, input, parameters, 1);
}

void SMALLEST(ELEMENT *output, const ELEMENT *input, const struct mcu_reduce *parameters)
{
    reduce(output, input, parameters, -1);
}
