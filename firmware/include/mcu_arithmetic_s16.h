#ifndef MCU_ARITHMETIC_S16_H
#define MCU_ARITHMETIC_S16_H

#include "mcu_arithmetic.h"

/* As mcu_add_s8 and mcu_mul_s8, for int16: operands of a sum are scaled up by 2^15. No zero points. */
void mcu_add_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_add *parameters);
void mcu_mul_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_mul *parameters);

/* MAXIMUM and MINIMUM. `output` may be an operand that does not repeat. */
void mcu_maximum_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_broadcast *broadcast);
void mcu_minimum_s16(int16_t *output, const int16_t *first, const int16_t *second, const struct mcu_broadcast *broadcast);

/* Each operand divided by 2^right, halves away from zero; the second one is added or, with `subtract`, taken away. */
struct mcu_add_powers {
    struct mcu_broadcast broadcast;
    uint8_t right[2];
    uint8_t subtract;
    int16_t minimum;
    int16_t maximum;
};

/* ADD and SUB of scales that are powers of two. `output` may be an operand that does not repeat. */
void mcu_add_powers_s16(int16_t *output, const int16_t *first, const int16_t *second,
                        const struct mcu_add_powers *parameters);

#endif
