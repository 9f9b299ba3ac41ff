#include "mcu_cast.h"

static int32_t element(const void *values, size_t at, const struct mcu_cast *p)
{
    if (p->from_bytes == 4) {
        return ((const int32_t *)values)[at];
    }
    if (p->from_bytes == 2) {
        return ((const int16_t *)values)[at];
    }
    return p->from == MCU_SIGNED ? ((const int8_t *)values)[at] : ((const uint8_t *)values)[at];
}

static void set_element(void *values, size_t at, int32_t value, const struct mcu_cast *p)
{
    if (p->to_bytes == 4) {
        ((int32_t *)values)[at] = value;
    } else if (p->to_bytes == 2) {
        ((int16_t *)values)[at] = (int16_t)value;
    } else {
        ((uint8_t *)values)[at] = (uint8_t)(p->to == MCU_TRUTH ? value != 0 : value);
    }
}

void mcu_cast(void *output, const void *input, const struct mcu_cast *parameters, size_t count)
{
    /* Narrow elements become wide ones from the end, so that none is overwritten before it was read where both start at the
     * same place. */
    const int backwards = parameters->to_bytes > parameters->from_bytes;
    for (size_t i = 0; i < count; ++i) {
        const size_t at = backwards ? count - 1 - i : i;
        set_element(output, at, element(input, at, parameters), parameters);
    }
}
