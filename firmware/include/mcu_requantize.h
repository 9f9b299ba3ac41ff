/* From 32-bit accumulators to 8-bit results, in the two ways in which TFLite's reference kernels round.
 *
 * `multiplier` is a fixed-point fraction with 31 fractional bits, 0 or in [2^30, 2^31). Cores without a long multiply
 * put the product together from 16-bit halves: nothing here calls into a compiler's library.
 */
#ifndef MCU_REQUANTIZE_H
#define MCU_REQUANTIZE_H

#include <stdint.h>

#define MCU_INLINE static inline __attribute__((always_inline))

/* a * b + round * 2^16 = high * 2^32 + middle * 2^16 + (16 bits that are left out), put together from the four products
 * of 16-bit halves. b >= 0. */
struct mcu_halves {
    int32_t high;
    uint32_t middle;
};

MCU_INLINE struct mcu_halves mcu_multiply_halves(int32_t a, int32_t b, uint32_t round)
{
    const int32_t a_high = a >> 16;
    const int32_t b_high = b >> 16;
    const uint32_t a_low = (uint32_t)a & 0xffffu;
    const uint32_t b_low = (uint32_t)b & 0xffffu;
    const int32_t left = a_high * (int32_t)b_low;
    const uint32_t right = a_low * (uint32_t)b_high;
    const struct mcu_halves sums = {
        a_high * b_high + (left >> 16) + (int32_t)(right >> 16),
        ((uint32_t)left & 0xffffu) + (right & 0xffffu) + ((a_low * b_low) >> 16) + round,
    };
    return sums;
}

/* floor(a * b / 2^32), b >= 0, on cores without a long multiply. */
MCU_INLINE int32_t mcu_high_multiply_by_halves(int32_t a, int32_t b)
{
    const struct mcu_halves sums = mcu_multiply_halves(a, b, 0);
    return sums.high + (int32_t)(sums.middle >> 16);
}

/* floor(a * b / 2^31 + 1/2), b >= 0, on cores without a long multiply. */
MCU_INLINE int32_t mcu_doubling_high_multiply_by_halves(int32_t a, int32_t b)
{
    const struct mcu_halves sums = mcu_multiply_halves(a, b, 1u << 14);
    return (int32_t)(((uint32_t)sums.high << 1) + (sums.middle >> 15));
}

#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1

#define mcu_high_multiply mcu_high_multiply_by_halves
#define mcu_doubling_high_multiply mcu_doubling_high_multiply_by_halves

#else

/* floor(a * b / 2^32). */
MCU_INLINE int32_t mcu_high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b) >> 32);
}

/* floor(a * b / 2^31 + 1/2): gemmlowp's SaturatingRoundingDoublingHighMul, save where both are -2^31. */
MCU_INLINE int32_t mcu_doubling_high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

#endif

/* value * multiplier * 2^(-31 - right), rounded twice (first halves up, then halves away from zero): TFLite's
 * MultiplyByQuantizedMultiplier with shift = -right. right in [-30, 31]; where right > 0,
 * |value| * multiplier / 2^31 + 2^(right - 1) + 2 < 2^31, which every |value| < 2^30 meets; a left shift wraps. */
MCU_INLINE int32_t mcu_requantize_twice(int32_t value, int32_t multiplier, int32_t right)
{
    if (__builtin_expect(right > 0, 1)) {
        /* gemmlowp's RoundingDivideByPOT, but by the sign of `value`. The product has the same sign, save where it is
         * -1/2 and rounds to 0: then the result is 0 either way. */
        return (mcu_doubling_high_multiply(value, multiplier) + (int32_t)((1u << right) >> 1) + (value >> 31)) >> right;
    }
    return mcu_doubling_high_multiply((int32_t)((uint32_t)value << -right), multiplier);
}

/* value * 2^left * multiplier / 2^(32 + right), rounded once (halves up), right in [1, 31]. The generator chooses the
 * multiplier so that every accumulator that can occur rounds as LiteRT's FULLY_CONNECTED does (see
 * harness/mcu_harness/model/codegen/single_rounding.py). |value * 2^left| < 2^31. */
MCU_INLINE int32_t mcu_requantize_once(int32_t value, int32_t multiplier, int32_t left, int32_t right)
{
    return (mcu_high_multiply((int32_t)((uint32_t)value << left), multiplier) + (1 << (right - 1))) >> right;
}

MCU_INLINE int32_t mcu_clamp(int32_t value, int32_t minimum, int32_t maximum)
{
    value = value < minimum ? minimum : value;
    return value > maximum ? maximum : value;
}

#endif
