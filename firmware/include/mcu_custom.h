/* What the C function of a custom operator is given. It is called once for every layer of that operator, at every inference:
 *
 *     void my_operator(const struct mcu_custom *operation);
 *
 * Everything here is constant and lies in flash; tensors lie where the memory plan has them, so the call copies nothing. The function
 * writes every element of every output, writes nothing else but its scratch, and returns. Outputs overlap no input. It keeps nothing in
 * variables of its own if the model is to give the same outputs for the same inputs. */
#ifndef MCU_CUSTOM_H
#define MCU_CUSTOM_H

#include <stdint.h>

enum mcu_custom_type {
    MCU_CUSTOM_INT8,
    MCU_CUSTOM_UINT8,
    MCU_CUSTOM_INT16,
    MCU_CUSTOM_INT32,
    MCU_CUSTOM_INT64,
    MCU_CUSTOM_FLOAT32,
    MCU_CUSTOM_BOOL,
};

/* `shape` [rank], row-major, `elements` in all. real = scales[c] * (value - zero_point), c the position along dimension `axis` where
 * there is a scale a channel (`scale_count` > 1); a tensor that is not quantised has `scale_count` 0. */
struct mcu_custom_tensor {
    const int32_t *shape;
    const float *scales;
    int32_t rank;
    int32_t elements;
    int32_t scale_count;
    int32_t axis;
    int32_t zero_point;
    enum mcu_custom_type type;
};

struct mcu_custom_input {
    const void *data;
    struct mcu_custom_tensor tensor;
};

struct mcu_custom_output {
    void *data;
    struct mcu_custom_tensor tensor;
};

/* `options` [options_bytes] are the operator's custom options as the model file has them (mostly a FlexBuffer). `scratch`
 * [scratch_bytes], aligned to 4, is what the scenario asks for; it holds nothing when the function begins. */
struct mcu_custom {
    const struct mcu_custom_input *inputs;
    const struct mcu_custom_output *outputs;
    const uint8_t *options;
    void *scratch;
    int32_t input_count;
    int32_t output_count;
    uint32_t options_bytes;
    uint32_t scratch_bytes;
};

#endif
