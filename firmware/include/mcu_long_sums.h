/* From 64-bit sums to 16-bit results, as the reference's kernels for int16 activations round them. Nothing here needs a long
 * multiply, or a shift of 64 bits, of a compiler's library. */
#ifndef MCU_LONG_SUMS_H
#define MCU_LONG_SUMS_H

#include "mcu_requantize.h"

/* The products of `length` inputs with one filter: sums of up to 256 of them fit 32 bits. */
MCU_INLINE int64_t mcu_long_dot(const int16_t *input, const int8_t *filter, int32_t length)
{
    int64_t sum = 0;
    while (length > 0) {
        const int16_t *const end = input + (length < 256 ? length : 256);
        int32_t part = 0;
        while (input != end) {
            part += *input++ * *filter++;
        }
        sum += part;
        length -= 256;
    }
    return sum;
}

/* floor(value * multiplier / 2^right + 1/2), |value| < 2^47, 0 <= multiplier < 2^15, right in [8, 46]; the lower 32 bits of it:
 * TFLite's MultiplyByQuantizedMultiplier of an int64. */
MCU_INLINE int32_t mcu_requantize_long(int64_t value, int32_t multiplier, int32_t right)
{
    const uint32_t bits = (uint32_t)value;
    const uint32_t factor = (uint32_t)multiplier;
    const uint32_t upper = (bits >> 16) * factor;
    uint32_t low = (bits & 0xffffu) * factor;
    uint32_t high = (uint32_t)(int32_t)(value >> 32) * factor + (upper >> 16);
    low += upper << 16;
    high += low < upper << 16;
    if (right > 32) {
        high += 1u << (right - 33);
        return (int32_t)high >> (right - 32);
    }
    const uint32_t half = 1u << (right - 1);
    low += half;
    high += low < half;
    return right == 32 ? (int32_t)high : (int32_t)((high << (32 - right)) | (low >> right));
}

/* value * factor / 2^right, rounded once, halves away from zero; |value| < 2^47, `factor` below 2^48 as three 16-bit digits, the
 * lowest first, right in [17, 95]. The result fits 31 bits. */
MCU_INLINE int32_t mcu_requantize_long_once(int64_t value, const uint16_t *factor, uint32_t right)
{
    const uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    const uint32_t digits[3] = {(uint32_t)size & 0xffffu, (uint32_t)size >> 16, (uint32_t)(size >> 32)};
    uint32_t product[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (int32_t i = 0; i < 3; ++i) {
        uint32_t carry = 0;
        for (int32_t j = 0; j < 3; ++j) {
            const uint32_t sum = digits[i] * factor[j] + product[i + j] + carry;
            product[i + j] = sum & 0xffffu;
            carry = sum >> 16;
        }
        product[i + 3] = carry;
    }
    uint32_t carry = 1u << ((right - 1) & 15);
    for (uint32_t i = (right - 1) >> 4; i < 8; ++i) {
        carry += product[i];
        product[i] = carry & 0xffffu;
        carry >>= 16;
    }
    const uint32_t *const at = product + (right >> 4);
    const uint32_t shift = right & 15;
    const uint32_t result = ((at[0] | at[1] << 16) >> shift) | (shift != 0 ? at[2] << (32 - shift) : 0);
    return value < 0 ? -(int32_t)result : (int32_t)result;
}

#endif
