#include "mcu_resize_bilinear.h"

enum { LOWER, UPPER, PLACE };
enum { FROM_UINT8 = 128 };

void mcu_resize_bilinear_real_s8(int8_t *output, const int8_t *input, const struct mcu_resize_bilinear_real *parameters)
{
    const struct mcu_resize_bilinear_real *const p = parameters;
    const int32_t channels = (int32_t)p->channels;
    const int32_t row_size = (int32_t)p->input_width * channels;
    for (uint32_t i = 0; i < p->images; ++i) {
        for (uint32_t y = 0; y < p->output_height; ++y) {
            const int8_t *const above = input + p->rows[y * PLACE + LOWER] * row_size;
            const int8_t *const below = input + p->rows[y * PLACE + UPPER] * row_size;
            const float down = p->row_parts[y];
            const float up = 1.0f - down;
            for (uint32_t x = 0; x < p->output_width; ++x) {
                const int32_t left = p->columns[x * PLACE + LOWER] * channels;
                const int32_t right = p->columns[x * PLACE + UPPER] * channels;
                const float to_right = p->column_parts[x];
                const float to_left = 1.0f - to_right;
                for (int32_t c = 0; c < channels; ++c) {
                    /* Each operation is rounded by itself, from left to right. */
                    float sum = (float)(above[left + c] + FROM_UINT8) * up * to_left;
                    float more = (float)(below[left + c] + FROM_UINT8) * down * to_left;
                    sum = sum + more;
                    more = (float)(above[right + c] + FROM_UINT8) * up * to_right;
                    sum = sum + more;
                    more = (float)(below[right + c] + FROM_UINT8) * down * to_right;
                    sum = sum + more;
                    *output++ = (int8_t)((int32_t)(sum + 0.5f) - FROM_UINT8);
                }
            }
        }
        input += (int32_t)p->input_height * row_size;
    }
}
