#ifndef MCU_REQUANTIZE_WIDE_H
#define MCU_REQUANTIZE_WIDE_H

#include <stddef.h>
#include <stdint.h>

struct mcu_requantize {
    int32_t multiplier; /* input scale / output scale; see mcu_requantize_twice */
    int32_t right;
    int32_t in_zero_point;
    int32_t out_zero_point;
};

/* QUANTIZE between int16 and int8, `count` values, rounding twice. `output` may start where `input` starts. */
void mcu_requantize_s16_s8(int8_t *output, const int16_t *input, const struct mcu_requantize *parameters, size_t count);
void mcu_requantize_s8_s16(int16_t *output, const int8_t *input, const struct mcu_requantize *parameters, size_t count);

void mcu_requantize_s16_s16(int16_t *output, const int16_t *input, const struct mcu_requantize *parameters, size_t count);

/* Where no limit is near: to int32. */
void mcu_requantize_s8_s32(int32_t *output, const int8_t *input, const struct mcu_requantize *parameters, size_t count);
void mcu_requantize_s16_s32(int32_t *output, const int16_t *input, const struct mcu_requantize *parameters, size_t count);

/* From int32, any value: what leaves 32 bits wraps, as it does in the reference. */
void mcu_requantize_s32_s8(int8_t *output, const int32_t *input, const struct mcu_requantize *parameters, size_t count);
void mcu_requantize_s32_s16(int16_t *output, const int32_t *input, const struct mcu_requantize *parameters, size_t count);

#endif
