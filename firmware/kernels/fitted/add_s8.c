#include "mcu_add_fitted.h"

#include "mcu_dsp.h"

void mcu_add_fitted_s8(int8_t *output, const int8_t *first, const int8_t *second,
                       const struct mcu_add_fitted *parameters)
{
    const struct mcu_add_fitted *const p = parameters;
    const int32_t m0 = p->multiplier[0], m1 = p->multiplier[1];
    const int32_t add = p->add, shift = p->shift;
    const int32_t minimum = p->minimum, maximum = p->maximum;
    int8_t *const end = output + p->length;
    int8_t *const unrolled = output + (p->length & ~3u);
    if (minimum == -128 && maximum == 127) {
        while (output != unrolled) {
            const int32_t a0 = first[0], a1 = first[1], a2 = first[2], a3 = first[3];
            const int32_t b0 = second[0], b1 = second[1], b2 = second[2], b3 = second[3];
            output[0] = (int8_t)mcu_saturate_8((a0 * m0 + b0 * m1 + add) >> shift);
            output[1] = (int8_t)mcu_saturate_8((a1 * m0 + b1 * m1 + add) >> shift);
            output[2] = (int8_t)mcu_saturate_8((a2 * m0 + b2 * m1 + add) >> shift);
            output[3] = (int8_t)mcu_saturate_8((a3 * m0 + b3 * m1 + add) >> shift);
            output += 4;
            first += 4;
            second += 4;
        }
    }
    while (output != end) {
        *output++ = (int8_t)mcu_clamp((*first++ * m0 + *second++ * m1 + add) >> shift, minimum, maximum);
    }
}
