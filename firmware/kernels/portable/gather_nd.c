#include "mcu_gather_nd.h"

#include "mcu_copy.h"

void mcu_gather_nd(void *output, const void *input, const int32_t *indices, const struct mcu_gather_nd *parameters)
{
    const struct mcu_gather_nd *const p = parameters;
    uint8_t *to = output;
    const uint8_t *const from = input;
    for (uint32_t i = 0; i < p->count; ++i) {
        uint32_t place = 0;
        uint32_t inside = 1;
        for (uint32_t k = 0; k < p->axes; ++k) {
            const uint32_t index = (uint32_t)*indices++;
            inside &= index < p->sizes[k];
            place = place * p->sizes[k] + index;
        }
        if (inside != 0) {
            mcu_copy(to, from + place * p->slice_bytes, p->slice_bytes);
        } else {
            mcu_fill(to, 0, p->slice_bytes);
        }
        to += p->slice_bytes;
    }
}
