#include "mcu_select.h"

#include "mcu_copy.h"

void mcu_select(void *output, const uint8_t *condition, const void *first, const void *second,
                const struct mcu_select *parameters)
{
    const struct mcu_select *const p = parameters;
    const int32_t rank = (int32_t)p->rank;
    int32_t left[MCU_SELECT_LOOPS];
    int32_t at[3] = {0, 0, 0};
    int32_t loop = 0;
    uint8_t *to = output;
    for (int32_t i = 0; i < rank; ++i) {
        left[i] = p->loops[i].count;
    }
    while (loop >= 0) {
        const int32_t chosen = condition[at[0]] != 0 ? at[1] : at[2];
        const uint8_t *from = condition[at[0]] != 0 ? first : second;
        mcu_copy(to, from + chosen * (int32_t)p->element_bytes, p->element_bytes);
        to += p->element_bytes;
        for (loop = rank - 1; loop >= 0; --loop) {
            left[loop] -= 1;
            if (left[loop] != 0) {
                for (int32_t k = 0; k < 3; ++k) {
                    at[k] += p->loops[loop].step[k];
                }
                break;
            }
            left[loop] = p->loops[loop].count;
            for (int32_t k = 0; k < 3; ++k) {
                at[k] -= (p->loops[loop].count - 1) * p->loops[loop].step[k];
            }
        }
    }
}
