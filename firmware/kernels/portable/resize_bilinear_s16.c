#include <stdint.h>

/* The sum of four products, whose upper and lower bytes are multiplied apart: each part fits 32 bits. */
static int64_t weighted(const int32_t *values, const int32_t *weights)
{
    int32_t high = 0;
    int32_t low = 0;
    for (int32_t i = 0; i < 4; ++i) {
        high += (values[i] >> 8) * weights[i];
        low += (values[i] & 0xff) * weights[i];
    }
    return (int64_t)((uint64_t)(int64_t)high << 8) + low;
}

#define ELEMENT int16_t
#define RESIZE mcu_resize_bilinear_s16
#define SUM int64_t
#define WEIGHTED(a, b, c, d, weights) weighted((const int32_t[4]){(a), (b), (c), (d)}, weights)
#include "mcu_resize_bilinear_elements.h"
