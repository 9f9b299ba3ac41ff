#include "mcu_plain_arithmetic.h"

#include "mcu_requantize.h"

MCU_INLINE int32_t add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

MCU_INLINE int32_t subtract(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

MCU_INLINE int32_t multiply(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

/* a / b, cut off, b neither 0 nor -1 where a is -2^31. */
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1
static int32_t quotient_of(int32_t a, int32_t b)
{
    const uint32_t divisor = b < 0 ? 0u - (uint32_t)b : (uint32_t)b;
    const uint32_t size = a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
    uint32_t rest = 0;
    uint32_t quotient = 0;
    for (int32_t bit = 31; bit >= 0; --bit) {
        rest = (rest << 1) | ((size >> bit) & 1u);
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1u;
        }
    }
    return (int32_t)((a < 0) != (b < 0) ? 0u - quotient : quotient);
}
#else
MCU_INLINE int32_t quotient_of(int32_t a, int32_t b)
{
    return a / b;
}
#endif

/* -2^31 / -1 wraps. */
MCU_INLINE int32_t divide(int32_t a, int32_t b)
{
    return b == 0 ? 0 : b == -1 ? (int32_t)(0u - (uint32_t)a) : quotient_of(a, b);
}

MCU_INLINE int32_t floor_divide(int32_t a, int32_t b)
{
    if (b == 0 || b == -1) {
        return divide(a, b);
    }
    const int32_t quotient = quotient_of(a, b);
    return quotient - (quotient * b != a && (a < 0) != (b < 0));
}

MCU_INLINE int32_t floor_modulo(int32_t a, int32_t b)
{
    if (b == 0 || b == -1) {
        return 0;
    }
    const int32_t rest = a - quotient_of(a, b) * b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

MCU_INLINE int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

MCU_INLINE int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

#define ELEMENT int32_t
#define PARAMETERS mcu_integers
#define KERNEL mcu_add_s32
#define RESULT add
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_subtract_s32
#define RESULT subtract
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_multiply_s32
#define RESULT multiply
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_divide_s32
#define RESULT divide
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_floor_divide_s32
#define RESULT floor_divide
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_floor_modulo_s32
#define RESULT floor_modulo
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_maximum_s32
#define RESULT larger
#include "mcu_plain_elements.h"
#undef KERNEL
#undef RESULT
#define KERNEL mcu_minimum_s32
#define RESULT smaller
#include "mcu_plain_elements.h"
