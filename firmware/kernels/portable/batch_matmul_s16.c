#include "mcu_batch_matmul.h"

#include "mcu_broadcast.h"
#include "mcu_long_sums.h"

static int64_t dot(const int16_t *a, const int16_t *b, const struct mcu_batch_matmul *p)
{
    int64_t sum = 0;
    for (uint32_t k = 0; k < p->depth; ++k) {
        sum += *a * *b;
        a += p->depth_step[0];
        b += p->depth_step[1];
    }
    return sum;
}

/* One product of two matrices. */
static int16_t *multiply(int16_t *output, const int16_t *first, const int16_t *second,
                         const struct mcu_batch_matmul *p)
{
    for (uint32_t i = 0; i < p->rows; ++i) {
        const int16_t *column = second;
        for (uint32_t j = 0; j < p->columns; ++j) {
            const int32_t value = mcu_requantize_long(dot(first, column, p), p->multiplier, (int32_t)p->right);
            *output++ = (int16_t)mcu_clamp(value, INT16_MIN, INT16_MAX);
            column += p->step[1];
        }
        first += p->step[0];
    }
    return output;
}

void mcu_batch_matmul_s16(int16_t *output, const int16_t *first, const int16_t *second,
                          const struct mcu_batch_matmul *parameters)
{
    const struct mcu_batch_matmul *const p = parameters;
    struct mcu_walk walk;
    mcu_walk_begin(&walk, &p->batches);
    do {
        const int16_t *a = first + walk.at[0] * p->size[0];
        const int16_t *b = second + walk.at[1] * p->size[1];
        for (uint32_t i = 0; i < p->batches.length; ++i) {
            output = multiply(output, a, b, p);
            a += p->batches.step[0] * p->size[0];
            b += p->batches.step[1] * p->size[1];
        }
    } while (mcu_walk_next(&walk, &p->batches));
}
