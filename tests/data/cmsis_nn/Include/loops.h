/* Rounding twice, as LiteRT's reference kernels do, or once. */
#ifndef LOOPS_H
#define LOOPS_H

#include "arm_nnfunctions.h"

static inline int32_t rounded(int32_t value, int32_t multiplier, int32_t shift)
{
#ifdef CMSIS_NN_USE_SINGLE_ROUNDING
    return (int32_t)(((int64_t)value * multiplier + ((int64_t)1 << (30 - shift))) >> (31 - shift));
#else
    int32_t left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    int64_t high = ((int64_t)(int32_t)((uint32_t)value << left) * multiplier + ((int64_t)1 << 30)) >> 31;
    int64_t half = right ? (int64_t)1 << (right - 1) : 0;
    return (int32_t)((high + half - (high < 0 && right)) >> right);
#endif
}

static inline int8_t limited(int32_t value, int32_t low, int32_t high)
{
    return (int8_t)(value < low ? low : value > high ? high : value);
}

#endif
