#ifndef MCU_BATCH_MATMUL_H
#define MCU_BATCH_MATMUL_H

#include "mcu_arithmetic.h"

/* Products of matrices, one for each turn of `batches`, whose steps count whole matrices of `size` elements.
 *
 * Row i and column j of a product are sums over `depth` of first[i * step[0] + k * depth_step[0]] times
 * second[j * step[1] + k * depth_step[1]], each without its zero point. */
struct mcu_batch_matmul {
    struct mcu_broadcast batches;
    uint32_t rows;
    uint32_t columns;
    uint32_t depth;
    int32_t size[2];
    int32_t step[2];
    int32_t depth_step[2];
    int32_t multiplier;
    int16_t zero_point[2];
    int16_t out_zero_point;
    int8_t right;
};

/* BATCH_MATMUL, int8, rounding twice. */
void mcu_batch_matmul_s8(int8_t *output, const int8_t *first, const int8_t *second,
                         const struct mcu_batch_matmul *parameters);

/* BATCH_MATMUL, int16 with zero points of 0, depth at most 2^16: `multiplier` below 2^15, `right` in [8, 46], as in `mcu_requantize_long`. */
void mcu_batch_matmul_s16(int16_t *output, const int16_t *first, const int16_t *second,
                          const struct mcu_batch_matmul *parameters);

#endif
