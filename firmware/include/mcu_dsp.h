/* The instructions of the DSP extension that kernels use, each with its meaning in C. The C is what runs where the
 * extension is missing, on the machine that runs the tests for one. Sums wrap at 32 bits. */
#ifndef MCU_DSP_H
#define MCU_DSP_H

#include <stdint.h>

#include "mcu_requantize.h"

/* Four bytes from an address that need not be aligned; the cores of this extension load such words. */
MCU_INLINE int32_t mcu_load_4(const int8_t *from)
{
    int32_t word;
    __builtin_memcpy(&word, from, 4);
    return word;
}

/* What is exclusive-ored into a word of inputs before it meets filters: kernels/dsp/conv_2d_s8.c says why. */
#define MCU_DSP_FLIP 0x007f007f

/* The bytes of `word` at bit `shift` and 16 above it, as two halves with their sign. */
#define MCU_HALVES_OF(word, shift)                                                    \
    ((int32_t)(((uint32_t)(int32_t)(int8_t)((uint32_t)(word) >> (shift)) & 0xffffu) | \
               ((uint32_t)(int32_t)(int8_t)((uint32_t)(word) >> ((shift) + 16)) << 16)))

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

#include <arm_acle.h>

/* sum + (low half of a * low half of b) + (high half of a * high half of b) */
MCU_INLINE int32_t mcu_smlad(int32_t a, int32_t b, int32_t sum)
{
    return __smlad(a, b, sum);
}

/* sum + low half of a * high half of b. Not all compilers have ACLE's name for it. */
MCU_INLINE int32_t mcu_smlabt(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smlabt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* Bytes 0 and 2 as halves. */
MCU_INLINE int32_t mcu_sxtb16(int32_t word)
{
    return __sxtb16(word);
}

/* Bytes 1 and 3 as halves. ACLE has no name for it. */
MCU_INLINE int32_t mcu_sxtb16_odd(int32_t word)
{
    int32_t halves;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(word));
    return halves;
}

/* sum + (a * b >> 32). ACLE has no name for it. */
MCU_INLINE int32_t mcu_smmla(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;
    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

#else

MCU_INLINE int32_t mcu_smlad(int32_t a, int32_t b, int32_t sum)
{
    const uint32_t low = (uint32_t)((int16_t)a * (int16_t)b);
    const uint32_t high = (uint32_t)((a >> 16) * (b >> 16));
    return (int32_t)((uint32_t)sum + low + high);
}

MCU_INLINE int32_t mcu_smlabt(int32_t a, int32_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)((int16_t)a * (b >> 16)));
}

MCU_INLINE int32_t mcu_sxtb16(int32_t word)
{
    return MCU_HALVES_OF(word, 0);
}

MCU_INLINE int32_t mcu_sxtb16_odd(int32_t word)
{
    return MCU_HALVES_OF(word, 8);
}

MCU_INLINE int32_t mcu_smmla(int32_t a, int32_t b, int32_t sum)
{
    return (int32_t)((uint32_t)sum + (uint32_t)mcu_high_multiply(a, b));
}

#endif

/* -128 to 127. */
MCU_INLINE int32_t mcu_saturate_8(int32_t value)
{
    /* Clang says that the Armv8-M baseline has saturation, which it has not; it has no Thumb-2 either. */
#if defined(__ARM_FEATURE_SAT) && __ARM_FEATURE_SAT && __ARM_ARCH_ISA_THUMB >= 2
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#else
    return mcu_clamp(value, -128, 127);
#endif
}

#endif
