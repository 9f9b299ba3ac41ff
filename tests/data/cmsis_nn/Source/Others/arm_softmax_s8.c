#include "loops.h"

/* Fixed-point numbers of 32 bits. */
static int32_t high(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

static int32_t halved(int32_t value, int32_t bits)
{
    int32_t left_out = value & ((1 << bits) - 1);
    return (value >> bits) + (left_out > ((1 << bits) - 1) / 2 + (value < 0));
}

/* exp(value), value <= 0 with 26 fractional bits: a series around -1/8, times powers of e. */
static int32_t exponential(int32_t value)
{
    static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    if (value == 0) {
        return INT32_MAX;
    }
    int32_t part = (value & ((1 << 24) - 1)) - (1 << 24);
    int32_t x = part * 32 + (1 << 28), square = high(x, x);
    int32_t tail = high(halved(high(square, square), 2) + high(square, x), 715827883) + square;
    int32_t result = 1895147668 + high(1895147668, x + halved(tail, 1));
    for (int32_t n = 0; n < 7; n++) {
        result = (part - value) >> (24 + n) & 1 ? high(result, powers[n]) : result;
    }
    return result;
}

/* 1 / (1 + x): three steps of Newton's. */
static int32_t reciprocal(int32_t x)
{
    int32_t half = (x >> 1) + (1 << 30), inverse = 1515870810 + high(-1010580540, half);
    for (int32_t n = 0; n < 3; n++) {
        inverse += high((1 << 29) - high(inverse, half), inverse) * 4;
    }
    return inverse >= 1 << 30 ? INT32_MAX : inverse * 2;
}

void arm_softmax_s8(const int8_t *in, int32_t rows, int32_t depth, int32_t mult, int32_t shift, int32_t diff_min,
                    int8_t *out)
{
    for (; rows > 0; rows--, in += depth, out += depth) {
        int32_t most = -128, leading = 0;
        uint32_t sum = 0;
        for (int32_t n = 0; n < depth; n++) {
            most = in[n] > most ? in[n] : most;
        }
        for (int32_t n = 0; n < depth; n++) {
            int32_t difference = in[n] - most;
            sum += difference >= diff_min ? (uint32_t)halved(exponential(high(difference * (1 << shift), mult)), 12) : 0;
        }
        while (!(sum << leading >> 31)) {
            leading++;
        }
        int32_t scale = reciprocal((int32_t)((sum << leading) - (1u << 31)));
        for (int32_t n = 0; n < depth; n++) {
            int32_t difference = in[n] - most, value = 0;
            if (difference >= diff_min) {
                value = high(scale, exponential(high(difference * (1 << shift), mult)));
                value = 35 - leading > 31 ? 0 : halved(value, 35 - leading);
            }
            out[n] = limited(value - 128, -128, 127);
        }
    }
}
