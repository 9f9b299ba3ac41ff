#ifndef MCU_LSTM_H
#define MCU_LSTM_H

#include <stdint.h>

/* One gate: input_weights [cells][inputs], recurrent_weights [cells][cells]. Biases [cells] contain what the zero points of input
 * and output state add. See mcu_requantize_twice for multipliers; the results have 12 fractional bits. */
struct mcu_lstm_gate {
    const int8_t *input_weights;
    const int8_t *recurrent_weights;
    const int32_t *input_bias;
    const int32_t *recurrent_bias;
    int32_t input_multiplier;
    int32_t recurrent_multiplier;
    int8_t input_right;
    int8_t recurrent_right;
};

enum { MCU_LSTM_INPUT, MCU_LSTM_FORGET, MCU_LSTM_CELL, MCU_LSTM_OUTPUT, MCU_LSTM_GATES };

struct mcu_lstm {
    struct mcu_lstm_gate gates[MCU_LSTM_GATES];
    uint32_t batches;
    uint32_t steps;
    uint32_t inputs;
    uint32_t cells;
    uint32_t step_stride; /* rows of `inputs` (and of `cells` in the output) from a step to the next */
    uint32_t batch_stride;
    int32_t hidden_multiplier;
    int8_t hidden_right;
    int8_t cell_integer_bits; /* of the cell state, 0 to 4 */
    int16_t hidden_zero_point;
    int16_t cell_limit; /* the cell state stays within +-cell_limit; 0 for no limit */
};

/* UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and weights and an int16 cell state, without peephole connections,
 * projection and layer normalisation. `output_state` [batches][cells] and `cell_state` [batches][cells] keep their values
 * between calls. `scratch` has MCU_LSTM_GATES * cells elements. */
void mcu_lstm_s8(int8_t *output, const int8_t *input, int8_t *output_state, int16_t *cell_state,
                 const struct mcu_lstm *parameters, int16_t *scratch);

#endif
