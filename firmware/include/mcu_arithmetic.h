#ifndef MCU_ARITHMETIC_H
#define MCU_ARITHMETIC_H

#include <stdint.h>

/* The most outer loops of an operator that broadcasts. */
#define MCU_BROADCAST_LOOPS 5

/* How two operands walk along one output.
 *
 * Innermost: `length` outputs, each of which moves an operand by its `step` (0 or 1). Around it `rank` loops (0 to
 * MCU_BROADCAST_LOOPS), outermost first: how often, and by how many elements each operand moves from one turn to the
 * next. The output is written without gaps. */
struct mcu_broadcast {
    uint32_t length;
    uint8_t step[2];
    uint8_t rank;
    struct {
        uint16_t count;
        int32_t step[2];
    } loops[MCU_BROADCAST_LOOPS];
};

/* (value - zero_point) * 2^20 and then mcu_requantize_twice, for each operand; the second one is added or, with
 * `subtract`, taken away; the sum is requantized once more. */
struct mcu_add {
    struct mcu_broadcast broadcast;
    int32_t multiplier[2];
    int32_t out_multiplier;
    int16_t zero_point[2];
    int16_t out_zero_point;
    int8_t right[2];
    int8_t out_right;
    uint8_t subtract;
    int16_t minimum;
    int16_t maximum;
};

/* ADD and SUB, int8. `output` may be an operand that does not repeat. */
void mcu_add_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_add *parameters);

struct mcu_mul {
    struct mcu_broadcast broadcast;
    int32_t multiplier;
    int16_t zero_point[2];
    int16_t out_zero_point;
    int16_t minimum;
    int16_t maximum;
    int8_t right;
};

/* MUL, int8, rounding twice. `output` may be an operand that does not repeat. */
void mcu_mul_s8(int8_t *output, const int8_t *first, const int8_t *second, const struct mcu_mul *parameters);

#endif
