#include "mcu_gather.h"

#include "mcu_copy.h"

void mcu_gather(void *output, const void *input, const int32_t *indices, const struct mcu_gather *parameters)
{
    const struct mcu_gather *const p = parameters;
    uint8_t *to = output;
    const uint8_t *block = input;
    for (uint32_t i = 0; i < p->blocks; ++i) {
        for (uint32_t k = 0; k < p->count; ++k) {
            const uint32_t index = (uint32_t)indices[k];
            if (index < p->size) {
                mcu_copy(to, block + index * p->slice_bytes, p->slice_bytes);
            } else {
                mcu_fill(to, 0, p->slice_bytes);
            }
            to += p->slice_bytes;
        }
        block += p->size * p->slice_bytes;
    }
}
