/* The text of the kernels of SOFTMAX: KERNEL is the name of one, ELEMENT the type of its outputs, from MINIMUM to
 * MAXIMUM. */
#include "mcu_softmax.h"

#include "mcu_reciprocal.h"
#include "mcu_requantize.h"

#define SUM_INTEGER_BITS 12

static void softmax(ELEMENT *output, const int8_t *input, const struct mcu_softmax *p)
{
    const int8_t *const end = input + p->depth;
    int32_t largest = INT8_MIN;
    for (const int8_t *value = input; value != end; ++value) {
        largest = *value > largest ? *value : largest;
    }
    uint32_t sum = 0;
    for (const int8_t *value = input; value != end; ++value) {
        const uint32_t difference = (uint32_t)(largest - *value);
        if (difference < p->entries) {
            sum += ((uint32_t)p->exponentials[difference] + (1u << (SUM_INTEGER_BITS - 1))) >> SUM_INTEGER_BITS;
        }
    }
    /* The sum is at least 1: shifted up to just below 2 it has at most 12 bits to go. */
    int32_t shift = 31 - (int32_t)(8 * sizeof(ELEMENT)) + SUM_INTEGER_BITS;
    uint32_t mantissa = sum;
    while ((mantissa >> 31) == 0) {
        mantissa <<= 1;
        shift -= 1;
    }
    shift = shift > 31 ? 31 : shift;
    const int32_t scale = mcu_reciprocal_of_one_plus((int32_t)(mantissa - (1u << 31)));
    while (input != end) {
        const uint32_t difference = (uint32_t)(largest - *input++);
        int32_t value = 0;
        if (difference < p->entries) {
            value = mcu_doubling_high_multiply(scale, p->exponentials[difference]);
            value = (value >> shift) + ((value >> (shift - 1)) & 1);
        }
        *output++ = (ELEMENT)mcu_clamp(value + MINIMUM, MINIMUM, MAXIMUM);
    }
}

void KERNEL(ELEMENT *output, const int8_t *input, const struct mcu_softmax *parameters)
{
    for (uint32_t row = 0; row < parameters->rows; ++row) {
        softmax(output, input, parameters);
        output += parameters->depth;
        input += parameters->depth;
    }
}
