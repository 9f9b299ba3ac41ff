#ifndef MCU_PLAIN_ARITHMETIC_H
#define MCU_PLAIN_ARITHMETIC_H

#include "mcu_arithmetic.h"

/* Numbers that count, without a scale: what leaves 32 bits wraps, a division by 0 gives 0. */
struct mcu_integers {
    struct mcu_broadcast broadcast;
    int32_t minimum;
    int32_t maximum;
};

/* `output` may be an operand that does not repeat. The quotients of mcu_divide_s32 are cut off, those of mcu_floor_divide_s32 rounded
 * down, and the rest of mcu_floor_modulo_s32 has the sign of its divisor. */
void mcu_add_s32(int32_t *output, const int32_t *first, const int32_t *second, const struct mcu_integers *parameters);
void mcu_subtract_s32(int32_t *output, const int32_t *first, const int32_t *second, const struct mcu_integers *parameters);
void mcu_multiply_s32(int32_t *output, const int32_t *first, const int32_t *second, const struct mcu_integers *parameters);
void mcu_divide_s32(int32_t *output, const int32_t *first, const int32_t *second, const struct mcu_integers *parameters);
void mcu_floor_divide_s32(int32_t *output, const int32_t *first, const int32_t *second,
                          const struct mcu_integers *parameters);
void mcu_floor_modulo_s32(int32_t *output, const int32_t *first, const int32_t *second,
                          const struct mcu_integers *parameters);
void mcu_maximum_s32(int32_t *output, const int32_t *first, const int32_t *second, const struct mcu_integers *parameters);
void mcu_minimum_s32(int32_t *output, const int32_t *first, const int32_t *second, const struct mcu_integers *parameters);

struct mcu_reals {
    struct mcu_broadcast broadcast;
    float minimum;
    float maximum;
};

/* float32, each result rounded once. `output` may be an operand that does not repeat. */
void mcu_add_f32(float *output, const float *first, const float *second, const struct mcu_reals *parameters);
void mcu_subtract_f32(float *output, const float *first, const float *second, const struct mcu_reals *parameters);
void mcu_multiply_f32(float *output, const float *first, const float *second, const struct mcu_reals *parameters);
void mcu_divide_f32(float *output, const float *first, const float *second, const struct mcu_reals *parameters);

#endif
