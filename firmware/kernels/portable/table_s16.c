#include "mcu_functions_s16.h"

enum { STEP_BITS = 7, MIDDLE = 256 };

void mcu_table_s16(int16_t *output, const int16_t *input, const int16_t *table, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const int16_t *const point = table + MIDDLE + (input[i] >> STEP_BITS);
        const int32_t part = input[i] & ((1 << STEP_BITS) - 1);
        const int32_t slope = (int16_t)(point[1] - point[0]);
        output[i] = (int16_t)(point[0] + ((slope * part + (1 << (STEP_BITS - 1))) >> STEP_BITS));
    }
}
