#ifndef MCU_FUNCTIONS_S16_H
#define MCU_FUNCTIONS_S16_H

#include <stddef.h>
#include <stdint.h>

/* 1 / (1 + exp(-x)) for x = i / 24, i = 0 to 255, with 16 fractional bits; inputs are multiplied and shifted to the right, rounding
 * halves up, so that 2^(9 + right) is one entry. */
struct mcu_sigmoid_s16 {
    const uint16_t *table;
    int32_t multiplier;
    int32_t right;
};

/* LOGISTIC and TANH, int16, output scale 1/32768, between entries in a straight line. `output` may be `input`. */
void mcu_logistic_s16(int16_t *output, const int16_t *input, const struct mcu_sigmoid_s16 *parameters, size_t count);
void mcu_tanh_s16(int16_t *output, const int16_t *input, const struct mcu_sigmoid_s16 *parameters, size_t count);

/* Values from 0 on are requantized with number 0 of `multiplier` and `right`, those below with number 1, times `sign`. */
struct mcu_slopes_s16 {
    int32_t multiplier[2];
    int8_t right[2];
    int8_t sign;
    int16_t minimum;
    int16_t maximum;
};

/* RELU and its kin, and LEAKY_RELU, int16, rounding twice. `output` may be `input`. */
void mcu_slopes_s16(int16_t *output, const int16_t *input, const struct mcu_slopes_s16 *parameters, size_t count);

/* Two functions between 513 points, in a straight line: `exponentials` of -10 to 0, `reciprocals` of 1 + x for x from 0 to 1, both
 * with 15 fractional bits. */
struct mcu_softmax_s16 {
    const int16_t *exponentials;
    const int16_t *reciprocals;
    int32_t multiplier;
    int32_t right;
    uint32_t rows;
    uint32_t depth;
};

/* SOFTMAX over the last dimension, int16, output scale 1/32768. `output` may not be `input`. */
void mcu_softmax_s16(int16_t *output, const int16_t *input, const struct mcu_softmax_s16 *parameters);

/* A function of int16 between 513 points, one for every 128 values from -32768 on, in a straight line. `output` may be `input`. */
void mcu_table_s16(int16_t *output, const int16_t *input, const int16_t *table, size_t count);

/* The magnitude, requantized; with a multiplier of 0 as it is. */
struct mcu_abs_s16 {
    int32_t multiplier;
    int32_t right;
};

/* ABS, int16, rounding twice. `output` may be `input`. */
void mcu_abs_s16(int16_t *output, const int16_t *input, const struct mcu_abs_s16 *parameters, size_t count);

/* NEG, int16; -32768 stays. `output` may be `input`. */
void mcu_negate_s16(int16_t *output, const int16_t *input, size_t count);

#endif
