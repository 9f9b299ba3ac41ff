#ifndef MCU_CAST_H
#define MCU_CAST_H

#include <stddef.h>
#include <stdint.h>

/* How wide an element is, in bytes (1, 2 or 4), and what it is. */
enum mcu_number_kind { MCU_SIGNED, MCU_UNSIGNED, MCU_TRUTH };

struct mcu_cast {
    uint8_t from_bytes;
    uint8_t to_bytes;
    uint8_t from; /* enum mcu_number_kind */
    uint8_t to;
};

/* CAST between integers and truths: what does not fit loses its upper bits, and a truth is 0 or 1. `output` may be `input`. */
void mcu_cast(void *output, const void *input, const struct mcu_cast *parameters, size_t count);

/* CAST to float32. `output` may start where `input` starts. */
void mcu_cast_s16_f32(float *output, const int16_t *input, size_t count);
void mcu_cast_s32_f32(float *output, const int32_t *input, size_t count);

#endif
