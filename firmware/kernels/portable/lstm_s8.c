#include "mcu_lstm.h"

#include "mcu_requantize.h"

/* 16-bit fixed-point numbers named by their integer bits without the sign: q0 is below 1, q2 below 4. All arithmetic is
 * gemmlowp's: products are rounded halves up, right shifts halves away from zero, left shifts saturate. */
#define ONE_Q0 INT16_MAX
#define ONE_Q2 (1 << 13)
#define Q2_48_OVER_17 23130
#define Q2_MINUS_32_OVER_17 (-15420)
#define GATE_INTEGER_BITS 3

static int32_t saturated(int32_t value)
{
    return mcu_clamp(value, INT16_MIN, INT16_MAX);
}

static int32_t product(int32_t a, int32_t b)
{
    return saturated((a * b + (1 << 14)) >> 15);
}

static int32_t divided(int32_t value, int32_t power)
{
    const int32_t half = (int32_t)((1u << power) >> 1);
    return value < 0 ? -((-value + half) >> power) : (value + half) >> power;
}

/* exp(x) in q0 for x <= 0 with `integer_bits`. */
static int32_t exponential(int32_t x, int32_t integer_bits)
{
    /* exp(-2^k), k = -2, -1, ... 4, in q0 */
    static const int16_t powers[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t fraction_bits = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction_bits - 2);
    if (x == 0) {
        return ONE_Q0;
    }
    const int32_t part = (x & (quarter - 1)) - quarter; /* in [-1/4, 0) */
    const int32_t a = part * (1 << integer_bits) + (1 << 12);
    const int32_t a2 = product(a, a);
    const int32_t a3 = product(a2, a);
    const int32_t a4 = product(a2, a2);
    const int32_t tail = divided(product(divided(a4, 2) + a3, 10923) + a2, 1);
    int32_t result = saturated(28918 + product(28918, a + tail));
    const int32_t rest = part - x;
    for (int32_t k = 0; k < integer_bits + 2; ++k) {
        if ((rest & (1 << (fraction_bits + k - 2))) != 0) {
            result = product(result, powers[k]);
        }
    }
    return result;
}

/* 2 / (1 + x) in q2 for x in q0, by three Newton-Raphson steps. */
static int32_t twice_inverse_of_one_plus(int32_t x)
{
    const int32_t half = (x + ONE_Q0 + 1) / 2;
    int32_t inverse = Q2_48_OVER_17 + product(half, Q2_MINUS_32_OVER_17);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = ONE_Q2 - product(half, inverse);
        inverse += saturated(product(inverse, error) * 4);
    }
    return inverse;
}

static int32_t logistic(int32_t x)
{
    if (x == 0) {
        return 1 << 14;
    }
    const int32_t positive = saturated(twice_inverse_of_one_plus(exponential(x > 0 ? -x : x, GATE_INTEGER_BITS)) * 2);
    return x > 0 ? positive : ONE_Q0 - positive;
}

static int32_t hyperbolic_tangent(int32_t x, int32_t integer_bits)
{
    if (x == 0) {
        return 0;
    }
    const int32_t power = exponential(x > 0 ? -x : x, integer_bits + 1);
    const int32_t positive = saturated((twice_inverse_of_one_plus(power) - ONE_Q2) * 4);
    return x > 0 ? positive : -positive;
}

static int32_t sum_of_products(int32_t sum, const int8_t *values, const int8_t *weights, uint32_t count)
{
    while (count-- != 0) {
        sum += *values++ * *weights++;
    }
    return sum;
}

static void gate(int16_t *results, const struct mcu_lstm_gate *g, const int8_t *input, const int8_t *state,
                 const struct mcu_lstm *p)
{
    for (uint32_t c = 0; c < p->cells; ++c) {
        const int32_t fresh = sum_of_products(g->input_bias[c], input, g->input_weights + c * p->inputs, p->inputs);
        const int32_t past = sum_of_products(g->recurrent_bias[c], state, g->recurrent_weights + c * p->cells, p->cells);
        const int32_t sum = saturated(mcu_requantize_twice(fresh, g->input_multiplier, g->input_right));
        results[c] = (int16_t)saturated(sum + mcu_requantize_twice(past, g->recurrent_multiplier, g->recurrent_right));
    }
}

static void step(int8_t *output, const int8_t *input, int8_t *output_state, int16_t *cell_state,
                 const struct mcu_lstm *p, int16_t *gates)
{
    for (uint32_t i = 0; i < MCU_LSTM_GATES; ++i) {
        gate(gates + i * p->cells, &p->gates[i], input, output_state, p);
    }
    for (uint32_t c = 0; c < p->cells; ++c) {
        const int32_t fresh = logistic(gates[MCU_LSTM_INPUT * p->cells + c]);
        const int32_t kept = logistic(gates[MCU_LSTM_FORGET * p->cells + c]);
        const int32_t value = hyperbolic_tangent(gates[MCU_LSTM_CELL * p->cells + c], GATE_INTEGER_BITS);
        const int32_t shown = logistic(gates[MCU_LSTM_OUTPUT * p->cells + c]);
        int32_t cell = (int16_t)divided(kept * cell_state[c], 15);
        cell = saturated(cell + (int16_t)divided(fresh * value, 15 + p->cell_integer_bits));
        if (p->cell_limit != 0) {
            cell = mcu_clamp(cell, -p->cell_limit, p->cell_limit);
        }
        cell_state[c] = (int16_t)cell;
        const int32_t hidden = shown * hyperbolic_tangent(cell, p->cell_integer_bits);
        const int32_t scaled = mcu_requantize_twice(hidden, p->hidden_multiplier, p->hidden_right);
        output[c] = (int8_t)mcu_clamp(scaled + p->hidden_zero_point, INT8_MIN, INT8_MAX);
        output_state[c] = output[c];
    }
}

void mcu_lstm_s8(int8_t *output, const int8_t *input, int8_t *output_state, int16_t *cell_state,
                 const struct mcu_lstm *parameters, int16_t *scratch)
{
    const struct mcu_lstm *const p = parameters;
    for (uint32_t b = 0; b < p->batches; ++b) {
        for (uint32_t t = 0; t < p->steps; ++t) {
            const uint32_t row = b * p->batch_stride + t * p->step_stride;
            step(output + row * p->cells, input + row * p->inputs, output_state + b * p->cells,
                 cell_state + b * p->cells, p, scratch);
        }
    }
}
