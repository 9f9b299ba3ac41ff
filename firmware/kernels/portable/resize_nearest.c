#include "mcu_resize_nearest.h"

#include "mcu_copy.h"

void mcu_resize_nearest(void *output, const void *input, const struct mcu_resize_nearest *parameters)
{
    const uint32_t pixel_bytes = parameters->pixel_bytes;
    const uint32_t output_row_bytes = parameters->output_width * pixel_bytes;
    uint8_t *to = output;
    const uint8_t *image = input;
    for (uint32_t i = 0; i < parameters->images; ++i) {
        for (uint32_t y = 0; y < parameters->output_height; ++y) {
            if (y != 0 && parameters->rows[y] == parameters->rows[y - 1]) {
                mcu_copy(to, to - output_row_bytes, output_row_bytes);
                to += output_row_bytes;
                continue;
            }
            const uint8_t *row = image + (uint32_t)parameters->rows[y] * parameters->input_row_bytes;
            for (uint32_t x = 0; x < parameters->output_width; ++x) {
                mcu_copy(to, row + (uint32_t)parameters->columns[x] * pixel_bytes, pixel_bytes);
                to += pixel_bytes;
            }
        }
        image += parameters->input_image_bytes;
    }
}
