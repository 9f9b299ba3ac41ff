/* The text of the kernels of RESIZE_BILINEAR: RESIZE is the name, ELEMENT the type of elements, SUM that of the sum of four of them,
 * WEIGHTED(a, b, c, d, weights) that sum with weights of 20 bits. */
#include "mcu_resize_bilinear.h"

enum { LOWER, UPPER, PART, PLACE };
enum { FRACTION_BITS = 10, ONE = 1 << FRACTION_BITS, HALF = 1 << (2 * FRACTION_BITS - 1) };

void RESIZE(ELEMENT *output, const ELEMENT *input, const struct mcu_resize_bilinear *parameters)
{
    const struct mcu_resize_bilinear *const p = parameters;
    const int32_t channels = (int32_t)p->channels;
    const int32_t row_size = (int32_t)p->input_width * channels;
    for (uint32_t i = 0; i < p->images; ++i) {
        const int16_t *row = p->rows;
        for (uint32_t y = 0; y < p->output_height; ++y) {
            const ELEMENT *const above = input + row[LOWER] * row_size;
            const ELEMENT *const below = input + row[UPPER] * row_size;
            const int16_t *column = p->columns;
            for (uint32_t x = 0; x < p->output_width; ++x) {
                const int32_t left = column[LOWER] * channels;
                const int32_t right = column[UPPER] * channels;
                const int32_t weights[4] = {
                    (ONE - row[PART]) * (ONE - column[PART]),
                    (ONE - row[PART]) * column[PART],
                    row[PART] * (ONE - column[PART]),
                    row[PART] * column[PART],
                };
                for (int32_t c = 0; c < channels; ++c) {
                    const SUM sum = WEIGHTED(above[left + c], above[right + c], below[left + c], below[right + c], weights);
                    const int32_t magnitude = (int32_t)(((sum < 0 ? -sum : sum) + HALF) >> (2 * FRACTION_BITS));
                    *output++ = (ELEMENT)(sum < 0 ? -magnitude : magnitude);
                }
                column += PLACE;
            }
            row += PLACE;
        }
        input += (int32_t)p->input_height * row_size;
    }
}
