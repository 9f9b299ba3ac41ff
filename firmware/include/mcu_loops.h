/* The innermost loops of convolutions and dense layers, in C and in assembly that does the same.
 *
 * They hold as many sums as a core has registers, and compilers spill some of them: on a Cortex-M0+ C takes 1.27 times
 * the instructions. The C is what a loop means; it runs on other machines, and everywhere with MCU_PLAIN_C. Each loop
 * is a function of its own without a compiler's frame, so that it is the same with all compilers. */
#ifndef MCU_LOOPS_H
#define MCU_LOOPS_H

#include "mcu_dot.h"
#include "mcu_pairs.h"

#define MCU_ASSEMBLY_LOOP static __attribute__((naked, noinline, unused))

/* ---- Cores without the DSP extension ----
 *
 * Some loops go through two blocks of four at a time, and begin with the second where the number of blocks is odd. */

/* The sums of one filter at four positions; words of positions 0 and 1, and of 2 and 3, alternate in the inputs. */
struct mcu_quad_sums {
    struct mcu_pair_sums low;
    struct mcu_pair_sums high;
};

/* `inputs`: two words a tap. `taps`, a positive multiple of 4: of `filter`, which is aligned to a word. */
static inline __attribute__((unused)) void mcu_multiply_pairs_c(struct mcu_quad_sums *sums, const int32_t *inputs,
                                                                const int8_t *filter, int32_t taps)
{
    struct mcu_quad_sums s = {{0, 0}, {0, 0}};
    const int8_t *const end = filter + taps;
    while (filter != end) {
        mcu_pair_step(&s.low, inputs[0], filter[0], inputs[2], filter[1], MCU_PAIRS_HALF);
        mcu_pair_step(&s.high, inputs[1], filter[0], inputs[3], filter[1], MCU_PAIRS_HALF);
        filter += 2;
        inputs += 4;
    }
    *sums = s;
}

/* Adds to `sums` the products of `count` inputs, a positive multiple of 4, with four filters that lie interleaved and
 * aligned to a word. */
static inline __attribute__((unused)) void mcu_multiply_four_units_c(int32_t *sums, const int8_t *inputs,
                                                                     const int8_t *filter, int32_t count)
{
    const int32_t start[4] = {sums[0], sums[1], sums[2], sums[3]};
    mcu_dot_4(sums, start, inputs, filter, count);
}

#if defined(MCU_PLAIN_C) || !defined(__thumb__)

#define mcu_multiply_four_units mcu_multiply_four_units_c

#elif __ARM_ARCH_ISA_THUMB == 1

/* r0 an input, r1 where it is, r2 filter, r3 a weight, r4 to r7 words of four weights, r8 to r11 `sums`, lr the inputs'
 * end. Weights come in words: flash makes each load wait. */
#define MCU_ONE_WEIGHT(word, sum)   \
    "sxtb r3, " word "\n"           \
    "muls r3, r0\n"                 \
    "asrs " word ", " word ", #8\n" \
    "add " sum ", r3\n"
#define MCU_ONE_INPUT(offset, word)                                       \
    "ldrb r0, [r1, #" #offset "]\n"                                       \
    "sxtb r0, r0\n" MCU_ONE_WEIGHT(word, "r8") MCU_ONE_WEIGHT(word, "r9") \
        MCU_ONE_WEIGHT(word, "r10") "muls " word ", r0\n"                 \
                                    "add r11, " word "\n"

MCU_ASSEMBLY_LOOP void mcu_multiply_four_units(int32_t *sums __attribute__((unused)),
                                               const int8_t *inputs __attribute__((unused)),
                                               const int8_t *filter __attribute__((unused)),
                                               int32_t count __attribute__((unused)))
{
    __asm__ volatile(".syntax unified\n"
                     "push {r0, r4, r5, r6, r7, lr}\n"
                     "mov r4, r8\n"
                     "mov r5, r9\n"
                     "mov r6, r10\n"
                     "mov r7, r11\n"
                     "push {r4, r5, r6, r7}\n"
                     "adds r3, r3, r1\n"
                     "mov lr, r3\n"
                     "ldmia r0!, {r4, r5, r6, r7}\n"
                     "mov r8, r4\n"
                     "mov r9, r5\n"
                     "mov r10, r6\n"
                     "mov r11, r7\n"
                     ".balign 4\n"
                     "1:\n"
                     "ldmia r2!, {r4, r5, r6, r7}\n");
    __asm__ volatile(MCU_ONE_INPUT(0, "r4") MCU_ONE_INPUT(1, "r5"));
    __asm__ volatile(MCU_ONE_INPUT(2, "r6") MCU_ONE_INPUT(3, "r7"));
    __asm__ volatile("adds r1, #4\n"
                     "cmp r1, lr\n"
                     "bne 1b\n"
                     "ldr r0, [sp, #16]\n"
                     "mov r1, r8\n"
                     "mov r2, r9\n"
                     "mov r3, r10\n"
                     "mov r4, r11\n"
                     "stmia r0!, {r1, r2, r3, r4}\n"
                     "pop {r4, r5, r6, r7}\n"
                     "mov r8, r4\n"
                     "mov r9, r5\n"
                     "mov r10, r6\n"
                     "mov r11, r7\n"
                     "pop {r0, r4, r5, r6, r7, pc}\n");
}

#else

/* r0 an input, r1 where it is, r2 filter, r3 the inputs' end, r4 to r7 words of four weights, r8 to r11 `sums`, r12 and
 * lr weights. */
#define MCU_ONE_INPUT(word)         \
    "ldrsb r0, [r1], #1\n"          \
    "sxtb r12, " word "\n"          \
    "sxtb lr, " word ", ror #8\n"   \
    "mla r8, r12, r0, r8\n"         \
    "mla r9, lr, r0, r9\n"          \
    "sxtb r12, " word ", ror #16\n" \
    "asr lr, " word ", #24\n"       \
    "mla r10, r12, r0, r10\n"       \
    "mla r11, lr, r0, r11\n"
#define MCU_FOUR_INPUTS \
    "ldmia.w r2!, {r4, r5, r6, r7}\n" MCU_ONE_INPUT("r4") MCU_ONE_INPUT("r5") MCU_ONE_INPUT("r6") MCU_ONE_INPUT("r7")

MCU_ASSEMBLY_LOOP void mcu_multiply_four_units(int32_t *sums __attribute__((unused)),
                                               const int8_t *inputs __attribute__((unused)),
                                               const int8_t *filter __attribute__((unused)),
                                               int32_t count __attribute__((unused)))
{
    __asm__ volatile("push {r0, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"
                     "ldmia r0, {r8, r9, r10, r11}\n"
                     "tst r3, #4\n"
                     "add r3, r3, r1\n"
                     "bne.w 2f\n"
                     ".balign 4\n"
                     "1:\n");
    __asm__ volatile(MCU_FOUR_INPUTS "2:\n");
    __asm__ volatile(MCU_FOUR_INPUTS "cmp r1, r3\n"
                                     "bne.w 1b\n"
                                     "ldr r0, [sp]\n"
                                     "stmia r0, {r8, r9, r10, r11}\n"
                                     "pop {r0, r4, r5, r6, r7, r8, r9, r10, r11, pc}\n");
}

#endif

#if defined(MCU_PLAIN_C) || !defined(__thumb__)

#define mcu_multiply_pairs mcu_multiply_pairs_c

#elif __ARM_ARCH_ISA_THUMB == 1

/* r0 a weight, r1 inputs, r2 filter, r3 what is left of four weights, r4 to r7 products, r8 to r11 `sums`, r12
 * MCU_PAIRS_HALF, lr the filter's end. */
#define MCU_FIRST_TAP       \
    "sxtb r0, r3\n"         \
    "ldmia r1!, {r4, r5}\n" \
    "muls r4, r0\n"         \
    "muls r5, r0\n"         \
    "lsrs r3, r3, #8\n"
#define MCU_SECOND_TAP      \
    "sxtb r0, r3\n"         \
    "ldmia r1!, {r6, r7}\n" \
    "muls r6, r0\n"         \
    "muls r7, r0\n"         \
    "adds r4, r4, r6\n"     \
    "adds r5, r5, r7\n"     \
    "add r4, r12\n"         \
    "add r5, r12\n"         \
    "add r8, r4\n"          \
    "add r10, r5\n"         \
    "asrs r4, r4, #16\n"    \
    "asrs r5, r5, #16\n"    \
    "add r9, r4\n"          \
    "add r11, r5\n"
#define MCU_FOUR_TAPS_OF_PAIRS \
    "ldmia r2!, {r3}\n" MCU_FIRST_TAP MCU_SECOND_TAP "lsrs r3, r3, #8\n" MCU_FIRST_TAP MCU_SECOND_TAP

MCU_ASSEMBLY_LOOP void mcu_multiply_pairs(struct mcu_quad_sums *sums __attribute__((unused)),
                                          const int32_t *inputs __attribute__((unused)),
                                          const int8_t *filter __attribute__((unused)),
                                          int32_t taps __attribute__((unused)))
{
    __asm__ volatile(".syntax unified\n"
                     "push {r0, r4, r5, r6, r7, lr}\n"
                     "mov r4, r8\n"
                     "mov r5, r9\n"
                     "mov r6, r10\n"
                     "mov r7, r11\n"
                     "push {r4, r5, r6, r7}\n"
                     "lsls r0, r3, #29\n"
                     "adds r3, r3, r2\n"
                     "mov lr, r3\n"
                     "movs r4, #0\n"
                     "mov r8, r4\n"
                     "mov r9, r4\n"
                     "mov r10, r4\n"
                     "mov r11, r4\n"
                     "movs r4, #1\n"
                     "lsls r4, r4, #15\n"
                     "mov r12, r4\n"
                     "cmp r0, #0\n"
                     "bne 2f\n"
                     ".balign 4\n"
                     "1:\n");
    __asm__ volatile(MCU_FOUR_TAPS_OF_PAIRS);
    __asm__ volatile("2:\n" MCU_FOUR_TAPS_OF_PAIRS "cmp r2, lr\n"
                     "bne 1b\n"
                     "ldr r0, [sp, #16]\n"
                     "mov r1, r8\n"
                     "mov r2, r9\n"
                     "mov r3, r10\n"
                     "mov r4, r11\n"
                     "stmia r0!, {r1, r2, r3, r4}\n"
                     "pop {r4, r5, r6, r7}\n"
                     "mov r8, r4\n"
                     "mov r9, r5\n"
                     "mov r10, r6\n"
                     "mov r11, r7\n"
                     "pop {r0, r4, r5, r6, r7, pc}\n");
}

#else

/* r0 and lr weights, r1 inputs, r2 filter, r3 its end, r4 to r7 products, r8 to r11 `sums`, r12 MCU_PAIRS_HALF. */
#define MCU_TWO_TAPS(first, second)  \
    "ldmia r1!, {r4, r5, r6, r7}\n"  \
    "ldrsb r0, [r2, #" #first "]\n"  \
    "ldrsb lr, [r2, #" #second "]\n" \
    "mla r4, r4, r0, r12\n"          \
    "mla r5, r5, r0, r12\n"          \
    "mla r4, r6, lr, r4\n"           \
    "mla r5, r7, lr, r5\n"           \
    "add r8, r8, r4\n"               \
    "add r9, r9, r4, asr #16\n"      \
    "add r10, r10, r5\n"             \
    "add r11, r11, r5, asr #16\n"
#define MCU_FOUR_TAPS_OF_PAIRS MCU_TWO_TAPS(0, 1) MCU_TWO_TAPS(2, 3) "adds r2, #4\n"

MCU_ASSEMBLY_LOOP void mcu_multiply_pairs(struct mcu_quad_sums *sums __attribute__((unused)),
                                          const int32_t *inputs __attribute__((unused)),
                                          const int8_t *filter __attribute__((unused)),
                                          int32_t taps __attribute__((unused)))
{
    __asm__ volatile(".syntax unified\n"
                     "push {r0, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"
                     "tst r3, #4\n"
                     "add r3, r3, r2\n"
                     "mov r8, #0\n"
                     "mov r9, #0\n"
                     "mov r10, #0\n"
                     "mov r11, #0\n"
                     "mov r12, #0x8000\n"
                     "bne.w 2f\n"
                     ".balign 4\n"
                     "1:\n");
    __asm__ volatile(MCU_FOUR_TAPS_OF_PAIRS "2:\n" MCU_FOUR_TAPS_OF_PAIRS "cmp r2, r3\n"
                                            "bne 1b\n"
                                            "ldr r0, [sp]\n"
                                            "stmia r0, {r8, r9, r10, r11}\n"
                                            "pop {r0, r4, r5, r6, r7, r8, r9, r10, r11, pc}\n");
}

#endif

/* ---- Cores with the DSP extension ---- */

/* Four output positions whose inputs are prepared as in dsp/conv_2d_s8.c, and channels from `output` to `last`, an even
 * number; those of the next position lie `channels` further on. `inputs` to `end`: 8 words for each word of a filter;
 * `unrolled` - `inputs` is the largest multiple of 32 in them. `step`: 0 or 1 of `steps` a channel. */
struct mcu_four_positions {
    const int32_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    int32_t step;
    const int32_t *inputs;
    const int32_t *unrolled;
    const int32_t *end;
    int8_t *output;
    const int8_t *last;
    int32_t channels;
};

/* Moves filter, bias, steps and output of `p` to the end. */
MCU_INLINE void mcu_four_positions_c(struct mcu_four_positions *p, int32_t signs)
{
    const struct mcu_finish finish = {signs, 0};
    while (p->output != p->last) {
        int32_t sums[2][4];
        for (int32_t c = 0; c < 2; ++c) {
            for (int32_t k = 0; k < 4; ++k) {
                sums[c][k] = p->bias[c];
            }
        }
        for (const int32_t *x = p->inputs; x != p->end; x += 8) {
            for (int32_t c = 0; c < 2; ++c) {
                const int32_t word = *p->filter++;
                for (int32_t k = 0; k < 4; ++k) {
                    sums[c][k] = mcu_smlad(word, x[k], sums[c][k]);
                    sums[c][k] = mcu_smlad(mcu_sxtb16(word), x[4 + k], sums[c][k]);
                }
            }
        }
        for (int32_t c = 0; c < 2; ++c) {
            for (int32_t k = 0; k < 4; ++k) {
                p->output[k * p->channels + c] = mcu_climb(sums[c][k], *p->steps, finish, -128, 127);
            }
            p->steps += p->step;
        }
        p->bias += 2;
        p->output += 2;
    }
}

#if defined(MCU_PLAIN_C) || !defined(__thumb__) || !defined(__ARM_FEATURE_DSP) || !__ARM_FEATURE_DSP

MCU_INLINE void mcu_four_positions_plain(struct mcu_four_positions *p)
{
    mcu_four_positions_c(p, 0);
}

MCU_INLINE void mcu_four_positions_signs(struct mcu_four_positions *p)
{
    mcu_four_positions_c(p, 1);
}

#else

/* r0 inputs, r1 filter, r2 and r3 words of two filters, r12 and lr inputs; sums of the first filter in r4 to r7, of the
 * second in r8 to r11. Text w is the filter's offset, x that of the inputs, in bytes. */
#if defined(MCU_SINGLE_LOADS) || __ARM_ARCH >= 8
/* A Cortex-M7 starts a load and a multiplication in one cycle, a Cortex-M33 a load in one if the next instruction does
 * not wait for it: the next word is loaded as soon as its register is free. */
#define MCU_FIRST_WORDS(w, x)      \
    "ldr.w r2, [r1, #" w "]\n"     \
    "ldr.w r3, [r1, #" w " + 4]\n" \
    "ldr r12, [r0, #" x "]\n"      \
    "ldr lr, [r0, #" x " + 4]\n"
#define MCU_MULTIPLY_WORDS(x)      \
    "smlad r4, r2, r12, r4\n"      \
    "smlad r8, r3, r12, r8\n"      \
    "ldr r12, [r0, #" x " + 8]\n"  \
    "smlad r5, r2, lr, r5\n"       \
    "smlad r9, r3, lr, r9\n"       \
    "ldr lr, [r0, #" x " + 12]\n"  \
    "smlad r6, r2, r12, r6\n"      \
    "smlad r10, r3, r12, r10\n"    \
    "ldr r12, [r0, #" x " + 16]\n" \
    "smlad r7, r2, lr, r7\n"       \
    "sxtb16 r2, r2\n"              \
    "smlad r11, r3, lr, r11\n"     \
    "sxtb16 r3, r3\n"              \
    "smlad r4, r2, r12, r4\n"      \
    "ldr lr, [r0, #" x " + 20]\n"  \
    "smlad r8, r3, r12, r8\n"      \
    "ldr r12, [r0, #" x " + 24]\n" \
    "smlad r5, r2, lr, r5\n"       \
    "smlad r9, r3, lr, r9\n"       \
    "ldr lr, [r0, #" x " + 28]\n"  \
    "smlad r6, r2, r12, r6\n"      \
    "smlad r10, r3, r12, r10\n"
#define MCU_AND_NEXT(w, x)         \
    "ldr r12, [r0, #" x "]\n"      \
    "smlad r7, r2, lr, r7\n"       \
    "ldr.w r2, [r1, #" w "]\n"     \
    "smlad r11, r3, lr, r11\n"     \
    "ldr.w r3, [r1, #" w " + 4]\n" \
    "ldr lr, [r0, #" x " + 4]\n"
#define MCU_AND_STOP         \
    "smlad r7, r2, lr, r7\n" \
    "smlad r11, r3, lr, r11\n"
#define MCU_FOUR_TAPS MCU_FIRST_WORDS("0", "0") MCU_MULTIPLY_WORDS("0") MCU_AND_STOP
#define MCU_SIXTEEN_TAPS      \
    MCU_FIRST_WORDS("0", "0") \
    MCU_MULTIPLY_WORDS("0")   \
    MCU_AND_NEXT("8", "32")   \
    MCU_MULTIPLY_WORDS("32")  \
    MCU_AND_NEXT("16", "64") MCU_MULTIPLY_WORDS("64") MCU_AND_NEXT("24", "96") MCU_MULTIPLY_WORDS("96") MCU_AND_STOP
#else
/* A Cortex-M4 waits less for loads side by side. */
#define MCU_TWO_BY_TWO(a, b, c, d)  \
    "smlad " a ", r2, r12, " a "\n" \
    "smlad " b ", r3, r12, " b "\n" \
    "smlad " c ", r2, lr, " c "\n"  \
    "smlad " d ", r3, lr, " d "\n"
#define MCU_MULTIPLY_WORDS(w, x)                                                                    \
    "ldrd r2, r3, [r1, #" w "]\n"                                                                   \
    "ldrd r12, lr, [r0, #" x                                                                        \
    "]\n" MCU_TWO_BY_TWO("r4", "r8", "r5", "r9") "ldrd r12, lr, [r0, #" x " + 8]\n" MCU_TWO_BY_TWO( \
        "r6", "r10", "r7", "r11") "ldrd r12, lr, [r0, #" x " + 16]\n"                               \
                                  "sxtb16 r2, r2\n"                                                 \
                                  "sxtb16 r3, r3\n" MCU_TWO_BY_TWO(                                 \
                                      "r4", "r8", "r5", "r9") "ldrd r12, lr, [r0, #" x              \
                                                              " + 24]\n" MCU_TWO_BY_TWO("r6", "r10", "r7", "r11")
#define MCU_FOUR_TAPS MCU_MULTIPLY_WORDS("0", "0")
#define MCU_SIXTEEN_TAPS         \
    MCU_MULTIPLY_WORDS("0", "0") \
    MCU_MULTIPLY_WORDS("8", "32") MCU_MULTIPLY_WORDS("16", "64") MCU_MULTIPLY_WORDS("24", "96")
#endif

/* Four sums become outputs, not yet saturated: r12 multiplier, lr addend, r1 shift, r3 below_zero where signs count, r0
 * is free. */
#define MCU_CLIMB_PLAIN(a, b, c, d) \
    "smmla " a ", " a ", r12, lr\n" \
    "smmla " b ", " b ", r12, lr\n" \
    "smmla " c ", " c ", r12, lr\n" \
    "asr " a ", " a ", r1\n"        \
    "smmla " d ", " d ", r12, lr\n" \
    "asr " b ", " b ", r1\n"        \
    "asr " c ", " c ", r1\n"        \
    "asr " d ", " d ", r1\n"
#define MCU_ADD_SIGN(sum)            \
    "and r0, r3, " sum ", asr #31\n" \
    "add r0, r0, lr\n"               \
    "smmla " sum ", " sum ", r12, r0\n"
#define MCU_CLIMB_SIGNS(a, b, c, d)                                                                            \
    MCU_ADD_SIGN(a)                                                                                            \
    MCU_ADD_SIGN(b)                                                                                            \
    "asr " a ", " a ", r1\n" MCU_ADD_SIGN(c) "asr " b ", " b ", r1\n" MCU_ADD_SIGN(d) "asr " c ", " c ", r1\n" \
                                                                                      "asr " d ", " d ", r1\n"
/* The same with r2 the channel's steps, which go on by one `step` (12 bytes). */
#define MCU_CLIMB_FOUR(climb, load, a, b, c, d)             \
    "ldr r0, [sp]\n"                                        \
    "ldr r12, [r2]\n"                                       \
    "ldr lr, [r2, #4]\n"                                    \
    "ldr r0, [r0, #12]\n"                                   \
    "ldrsh r1, [r2, #10]\n" load "add r2, r2, r0, lsl #3\n" \
    "add r2, r2, r0, lsl #2\n" climb(a, b, c, d)
/* Outputs of two channels at one position go together, as a half; between saturations is room for loads and stores. */
#define MCU_STORE_OUTPUTS         \
    "ldr r12, [sp]\n"             \
    "ssat r4, #8, r4\n"           \
    "ssat r8, #8, r8\n"           \
    "ldr r0, [r12, #28]\n"        \
    "ldr r3, [r12, #32]\n"        \
    "ldr r1, [r12, #36]\n"        \
    "bfi r4, r8, #8, #8\n"        \
    "str r2, [r12, #8]\n"         \
    "ssat r5, #8, r5\n"           \
    "strh r4, [r0]\n"             \
    "ssat r9, #8, r9\n"           \
    "add lr, r1, r1, lsl #1\n"    \
    "bfi r5, r9, #8, #8\n"        \
    "ssat r6, #8, r6\n"           \
    "strh r5, [r0, r1]\n"         \
    "ssat r10, #8, r10\n"         \
    "bfi r6, r10, #8, #8\n"       \
    "ssat r7, #8, r7\n"           \
    "strh r6, [r0, r1, lsl #1]\n" \
    "ssat r11, #8, r11\n"         \
    "bfi r7, r11, #8, #8\n"       \
    "strh r7, [r0, lr]\n"         \
    "adds r0, #2\n"               \
    "str r0, [r12, #28]\n"

/* In parts, as strings of C99 have an end; nothing comes between them. */
#define MCU_FOUR_POSITIONS(name, climb, load)                                                   \
    MCU_ASSEMBLY_LOOP void name(struct mcu_four_positions *p __attribute__((unused)))           \
    {                                                                                           \
        __asm__ volatile("push {r0, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"                    \
                         "1:\n"                                                                 \
                         "ldr r2, [sp]\n"                                                       \
                         "ldr r3, [r2, #4]\n"                                                   \
                         "ldr r1, [r2]\n"                                                       \
                         "ldr r4, [r3]\n"                                                       \
                         "ldr r8, [r3, #4]\n"                                                   \
                         "adds r3, #8\n"                                                        \
                         "str r3, [r2, #4]\n"                                                   \
                         "ldr r0, [r2, #16]\n"                                                  \
                         "ldr r3, [r2, #20]\n"                                                  \
                         "mov r5, r4\n"                                                         \
                         "mov r6, r4\n"                                                         \
                         "mov r7, r4\n"                                                         \
                         "mov r9, r8\n"                                                         \
                         "mov r10, r8\n"                                                        \
                         "mov r11, r8\n"                                                        \
                         "cmp r0, r3\n"                                                         \
                         "beq.w 3f\n"                                                           \
                         ".balign 4\n"                                                          \
                         "2:\n");                                                               \
        __asm__ volatile(MCU_SIXTEEN_TAPS);                                                     \
        __asm__ volatile("ldr r2, [sp]\n"                                                       \
                         "ldr r2, [r2, #20]\n"                                                  \
                         "adds r1, #32\n"                                                       \
                         "adds r0, #128\n"                                                      \
                         "cmp r0, r2\n"                                                         \
                         "bne.w 2b\n"                                                           \
                         "3:\n"                                                                 \
                         "ldr r2, [sp]\n"                                                       \
                         "ldr r3, [r2, #24]\n"                                                  \
                         "cmp r0, r3\n"                                                         \
                         "beq.w 4f\n" MCU_FOUR_TAPS "adds r1, #8\n"                             \
                         "adds r0, #32\n"                                                       \
                         "b 3b\n"                                                               \
                         "4:\n"                                                                 \
                         "str r1, [r2]\n"                                                       \
                         "ldr r2, [r2, #8]\n");                                                 \
        __asm__ volatile(MCU_CLIMB_FOUR(climb, load, "r4", "r5", "r6", "r7"));                  \
        __asm__ volatile(MCU_CLIMB_FOUR(climb, load, "r8", "r9", "r10", "r11"));                \
        __asm__ volatile(MCU_STORE_OUTPUTS "cmp r0, r3\n"                                       \
                                           "bne.w 1b\n"                                         \
                                           "pop {r0, r4, r5, r6, r7, r8, r9, r10, r11, pc}\n"); \
    }

MCU_FOUR_POSITIONS(mcu_four_positions_plain, MCU_CLIMB_PLAIN, "")
MCU_FOUR_POSITIONS(mcu_four_positions_signs, MCU_CLIMB_SIGNS, "ldrsh r3, [r2, #8]\n")

#endif

/* One input of `words` words, and a word `tail` more where there is a `rest` of one to three values, and units from
 * `output` to `last`, a multiple of four. Filter, bias and steps as in mcu_fully_connected_dsp.h; `step`: bytes from
 * one unit's steps to the next one's. */
struct mcu_four_units {
    const int32_t *filter;
    const int32_t *bias;
    const struct mcu_staircase *steps;
    int32_t step;
    const int8_t *inputs;
    int32_t words;
    int32_t rest;
    int32_t tail;
    int8_t *output;
    const int8_t *last;
};

/* Moves filter, bias, steps and output of `p` to the end. */
MCU_INLINE void mcu_four_units_c(struct mcu_four_units *p, int32_t signs)
{
    const struct mcu_finish finish = {signs, 0};
    while (p->output != p->last) {
        int32_t sums[4] = {p->bias[0], p->bias[1], p->bias[2], p->bias[3]};
        for (int32_t i = 0; i < p->words + (p->rest != 0); ++i) {
            const int32_t word = i < p->words ? mcu_load_4(p->inputs + 4 * i) : p->tail;
            for (int32_t k = 0; k < 4; ++k) {
                sums[k] = mcu_smlad(p->filter[k], mcu_sxtb16(word), sums[k]);
                sums[k] = mcu_smlad(mcu_sxtb16(p->filter[k]), word ^ MCU_DSP_FLIP, sums[k]);
            }
            p->filter += 4;
        }
        for (int32_t k = 0; k < 4; ++k) {
            *p->output++ = mcu_climb(sums[k], *p->steps, finish, -128, 127);
            p->steps += p->step != 0;
        }
        p->bias += 4;
    }
}

#if defined(MCU_PLAIN_C) || !defined(__thumb__) || !defined(__ARM_FEATURE_DSP) || !__ARM_FEATURE_DSP

MCU_INLINE void mcu_four_units_plain(struct mcu_four_units *p)
{
    mcu_four_units_c(p, 0);
}

MCU_INLINE void mcu_four_units_signs(struct mcu_four_units *p)
{
    mcu_four_units_c(p, 1);
}

#else

/* r0 and r12 words of inputs, lr the even ones of a word, r1 where inputs are, r2 filter, r3 words that are left, r4 to
 * r7 words of four units, r8 to r11 their sums. Inputs need not be aligned, so they come in single loads. Wide
 * instructions keep each other aligned to words. */
#define MCU_SPLIT_INPUTS(x) \
    "sxtb16 lr, " x "\n"    \
    "eor " x ", " x ", #0x007f007f\n"
#if defined(MCU_SINGLE_LOADS) || __ARM_ARCH >= 8
/* Between two multiplications stands what the words after them need. */
#define MCU_MULTIPLY_UNITS(x, load_x, load_0, load_1, load_2, load_3)                                          \
    "smlad r8, r4, lr, r8\n" load_x "sxtb16 r4, r4\n"                                                          \
    "smlad r9, r5, lr, r9\n"                                                                                   \
    "sxtb16 r5, r5\n"                                                                                          \
    "smlad r10, r6, lr, r10\n"                                                                                 \
    "sxtb16 r6, r6\n"                                                                                          \
    "smlad r11, r7, lr, r11\n"                                                                                 \
    "sxtb16 r7, r7\n"                                                                                          \
    "smlad r8, r4, " x ", r8\n" load_0 "smlad r9, r5, " x ", r9\n" load_1 "smlad r10, r6, " x ", r10\n" load_2 \
    "smlad r11, r7, " x ", r11\n" load_3
#define MCU_UNITS_AND_NEXT(x, next, from, w)                                                                         \
    MCU_MULTIPLY_UNITS(x, "ldr " next ", [r1, #-" from "]\n", "ldr r4, [r2, #-" w "]\n",                             \
                       "ldr r5, [r2, #-" w " + 4]\n", "ldr r6, [r2, #-" w " + 8]\n", "ldr r7, [r2, #-" w " + 12]\n") \
    MCU_SPLIT_INPUTS(next)
#define MCU_FIRST_UNIT_WORDS(x, w)                                             \
    "ldr r4, [r2], #" w "\n" MCU_SPLIT_INPUTS(x) "ldr r5, [r2, #-" w " + 4]\n" \
                                                 "ldr r6, [r2, #-" w " + 8]\n" \
                                                 "ldr r7, [r2, #-" w " + 12]\n"
#define MCU_ONE_UNIT_WORD MCU_FIRST_UNIT_WORDS("r0", "16") MCU_MULTIPLY_UNITS("r0", "", "", "", "", "")
#define MCU_FOUR_UNIT_WORDS                                                                            \
    "ldr r0, [r1], #16\n" MCU_FIRST_UNIT_WORDS("r0", "64") MCU_UNITS_AND_NEXT("r0", "r12", "12", "48") \
        MCU_UNITS_AND_NEXT("r12", "r0", "8", "32") MCU_UNITS_AND_NEXT("r0", "r12", "4", "16")          \
            MCU_MULTIPLY_UNITS("r12", "", "", "", "", "")
#else
/* A Cortex-M4 waits less for loads side by side. */
#define MCU_MULTIPLY_UNITS(x)         \
    MCU_SPLIT_INPUTS(x)               \
    "ldmia.w r2!, {r4, r5, r6, r7}\n" \
    "smlad r8, r4, lr, r8\n"          \
    "smlad r9, r5, lr, r9\n"          \
    "smlad r10, r6, lr, r10\n"        \
    "smlad r11, r7, lr, r11\n"        \
    "sxtb16 r4, r4\n"                 \
    "sxtb16 r5, r5\n"                 \
    "sxtb16 r6, r6\n"                 \
    "sxtb16 r7, r7\n"                 \
    "smlad r8, r4, " x ", r8\n"       \
    "smlad r9, r5, " x ", r9\n"       \
    "smlad r10, r6, " x ", r10\n"     \
    "smlad r11, r7, " x ", r11\n"
#define MCU_ONE_UNIT_WORD MCU_MULTIPLY_UNITS("r0")
#define MCU_TWO_UNIT_WORDS  \
    "ldr.w r12, [r1, #4]\n" \
    "ldr r0, [r1], #8\n" MCU_MULTIPLY_UNITS("r0") MCU_MULTIPLY_UNITS("r12")
#define MCU_FOUR_UNIT_WORDS MCU_TWO_UNIT_WORDS MCU_TWO_UNIT_WORDS
#endif

/* A sum becomes an output: r0 the unit's steps, r1 bytes to the next one's. */
#define MCU_CLIMB_UNIT_PLAIN(sum, output) \
    "ldr r4, [r0]\n"                      \
    "ldr r5, [r0, #4]\n"                  \
    "ldrsh r6, [r0, #10]\n"               \
    "add r0, r1\n"                        \
    "smmla " output ", " sum ", r4, r5\n" \
    "asr " output ", " output ", r6\n"    \
    "ssat " output ", #8, " output "\n"
#define MCU_CLIMB_UNIT_SIGNS(sum, output) \
    "ldr r4, [r0]\n"                      \
    "ldr r5, [r0, #4]\n"                  \
    "ldrsh r7, [r0, #8]\n"                \
    "ldrsh r6, [r0, #10]\n"               \
    "add r0, r1\n"                        \
    "and r7, r7, " sum ", asr #31\n"      \
    "smmla " output ", " sum ", r4, r5\n" \
    "add " output ", r7\n"                \
    "asr " output ", " output ", r6\n"    \
    "ssat " output ", #8, " output "\n"

/* In parts, as strings of C99 have an end; nothing comes between them. */
#define MCU_FOUR_UNITS(name, climb)                                                   \
    MCU_ASSEMBLY_LOOP void name(struct mcu_four_units *p __attribute__((unused)))     \
    {                                                                                 \
        __asm__ volatile("push {r0, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"          \
                         "ldr r2, [r0]\n"                                             \
                         "1:\n"                                                       \
                         "ldr r3, [sp]\n"                                             \
                         "ldr r0, [r3, #4]\n"                                         \
                         "ldr r1, [r3, #16]\n"                                        \
                         "ldr r12, [r3, #20]\n"                                       \
                         "ldmia.w r0!, {r8, r9, r10, r11}\n"                          \
                         "str r0, [r3, #4]\n"                                         \
                         "subs.w r3, r12, #4\n"                                       \
                         "blt.w 3f\n"                                                 \
                         ".balign 4\n"                                                \
                         "2:\n"                                                       \
                         "subs.w r3, r3, #4\n");                                      \
        __asm__ volatile(MCU_FOUR_UNIT_WORDS);                                        \
        __asm__ volatile("bge.w 2b\n"                                                 \
                         "3:\n"                                                       \
                         "adds r3, #4\n"                                              \
                         "beq.w 5f\n"                                                 \
                         "4:\n"                                                       \
                         "ldr r0, [r1], #4\n");                                       \
        __asm__ volatile(MCU_ONE_UNIT_WORD);                                          \
        __asm__ volatile("subs r3, #1\n"                                              \
                         "bne.w 4b\n"                                                 \
                         "5:\n"                                                       \
                         "ldr r3, [sp]\n"                                             \
                         "ldr r0, [r3, #24]\n"                                        \
                         "cmp r0, #0\n"                                               \
                         "bne.w 7f\n"                                                 \
                         "6:\n"                                                       \
                         "ldr r0, [r3, #8]\n"                                         \
                         "ldr r1, [r3, #12]\n" climb("r8", "r12") climb("r9", "r8")); \
        __asm__ volatile(climb("r10", "r9") climb("r11", "r10"));                     \
        __asm__ volatile("ldrd r4, r5, [r3, #32]\n"                                   \
                         "str r0, [r3, #8]\n"                                         \
                         "bfi r12, r8, #8, #8\n"                                      \
                         "bfi r12, r9, #16, #8\n"                                     \
                         "bfi r12, r10, #24, #8\n"                                    \
                         "str r12, [r4], #4\n"                                        \
                         "cmp r4, r5\n"                                               \
                         "str r4, [r3, #32]\n"                                        \
                         "bne.w 1b\n"                                                 \
                         "str r2, [r3]\n"                                             \
                         "pop {r0, r4, r5, r6, r7, r8, r9, r10, r11, pc}\n"           \
                         "7:\n"                                                       \
                         "ldr r0, [r3, #28]\n");                                      \
        __asm__ volatile(MCU_ONE_UNIT_WORD "b.w 6b\n");                               \
    }

MCU_FOUR_UNITS(mcu_four_units_plain, MCU_CLIMB_UNIT_PLAIN)
MCU_FOUR_UNITS(mcu_four_units_signs, MCU_CLIMB_UNIT_SIGNS)

#endif

/* Output lines of one channel whose windows are 3 lines of 3 taps and move by one. `taps`: for each line of the window
 * the words (w0, w1) and (w1, w2) of halves, 256-fold. A line at `x` has words of two positions, 16 bytes apart,
 * `pitch` bytes from line to line, `line_stride` from one output line's to the next one's. Four outputs are computed at
 * a time, of which those beyond `count` are not stored; they are `next` bytes apart, the next line `next_line` behind
 * the last. */
struct mcu_window_lines {
    int32_t taps[6];
    int32_t bias;
    int32_t multiplier;
    int32_t add;
    int32_t shift;
    int32_t next;
    int32_t below_zero;
    int32_t count;
    int32_t lines;
    const int32_t *x;
    int8_t *output;
    int32_t pitch;
    int32_t next_line;
    int32_t line_stride;
};

/* Moves x, output and lines of `p` to the end. */
MCU_INLINE void mcu_window_lines_c(struct mcu_window_lines *p, struct mcu_finish finish, int32_t minimum,
                                   int32_t maximum)
{
    const struct mcu_staircase steps = {p->multiplier, p->add, (int16_t)p->below_zero, (int16_t)p->shift};
    do {
        const int32_t *x = p->x;
        for (int32_t left = p->count; left > 0; left -= 4) {
            int32_t s0 = p->bias, s1 = p->bias, s2 = p->bias, s3 = p->bias;
            const int32_t *line = x;
            for (int32_t i = 0; i < 6; i += 2) {
                const int32_t first = p->taps[i], last = p->taps[i + 1];
                const int32_t a = line[0], b = line[4], c = line[8];
                s0 = mcu_smlabt(b, last, mcu_smlad(a, first, s0));
                s1 = mcu_smlad(b, last, mcu_smlabt(first, a, s1));
                s2 = mcu_smlabt(c, last, mcu_smlad(b, first, s2));
                s3 = mcu_smlad(c, last, mcu_smlabt(first, b, s3));
                line += p->pitch >> 2;
            }
            const int32_t sums[4] = {s0, s1, s2, s3};
            for (int32_t k = 0; k < 4 && k < left; ++k) {
                *p->output = mcu_climb(sums[k], steps, finish, minimum, maximum);
                p->output += p->next;
            }
            x += 8;
        }
        p->output += p->next_line;
        p->x += p->line_stride >> 2;
    } while (--p->lines);
}

#if defined(MCU_PLAIN_C) || !defined(__thumb__) || !defined(__ARM_FEATURE_DSP) || !__ARM_FEATURE_DSP

MCU_INLINE void mcu_window_lines_plain(struct mcu_window_lines *p)
{
    const struct mcu_finish finish = {0, 0};
    mcu_window_lines_c(p, finish, -128, 127);
}

MCU_INLINE void mcu_window_lines_signs(struct mcu_window_lines *p)
{
    const struct mcu_finish finish = {1, 0};
    mcu_window_lines_c(p, finish, -128, 127);
}

#else

/* r0 `p`, r1 x, r2 output, r3 pitch, r4 and r5 taps of a line, r6 to r8 six positions, r9 to r12 sums, lr outputs that
 * are left in the line. */
#define MCU_LINE_TIMES(after_first, after_taps, after_second, after_last, s0, s1, s2, s3) \
    "smlad r9, r6, r4, " s0 "\n"                                                          \
    "smlatb r10, r6, r4, " s1 "\n" after_first "smlad r11, r7, r4, " s2 "\n"              \
    "smlatb r12, r7, r4, " s3 "\n" after_taps "smlabt r9, r7, r5, r9\n"                   \
    "smlad r10, r7, r5, r10\n" after_second "smlabt r11, r8, r5, r11\n"                   \
    "smlad r12, r8, r5, r12\n" after_last
#define MCU_FIRST_LINE(after_first, after_taps, after_second, after_last) \
    MCU_LINE_TIMES(after_first, after_taps, after_second, after_last, "r12", "r12", "r12", "r12")
#define MCU_NEXT_LINE(after_first, after_taps, after_second, after_last) \
    MCU_LINE_TIMES(after_first, after_taps, after_second, after_last, "r9", "r10", "r11", "r12")
#if defined(MCU_SINGLE_LOADS) || __ARM_ARCH >= 8
/* Each word of the next line is loaded as soon as its register is free. */
#define MCU_THREE_LINES                                                                                      \
    "ldr.w r6, [r1]\n"                                                                                       \
    "ldr.w r4, [r0]\n"                                                                                       \
    "ldr.w r12, [r0, #24]\n"                                                                                 \
    "ldr.w r7, [r1, #16]\n"                                                                                  \
    "ldr.w r5, [r0, #4]\n"                                                                                   \
    "ldr.w r8, [r1, #32]\n"                                                                                  \
    "add.w r1, r1, r3\n" MCU_FIRST_LINE("ldr.w r6, [r1]\n", "ldr.w r4, [r0, #8]\n", "ldr.w r7, [r1, #16]\n", \
                                        "ldr.w r8, [r1, #32]\n"                                              \
                                        "ldr.w r5, [r0, #12]\n"                                              \
                                        "add.w r1, r1, r3\n")                                                \
        MCU_NEXT_LINE("ldr.w r6, [r1]\n", "ldr.w r4, [r0, #16]\n", "ldr.w r7, [r1, #16]\n",                  \
                      "ldr.w r8, [r1, #32]\n"                                                                \
                      "ldr.w r5, [r0, #20]\n"                                                                \
                      "sub.w r1, r1, r3, lsl #1\n")                                                          \
            MCU_NEXT_LINE("ldr.w r6, [r0, #36]\n", "ldr.w r4, [r0, #28]\n", "ldr.w r7, [r0, #40]\n",         \
                          "ldr.w r5, [r0, #32]\n"                                                            \
                          "add.w r1, r1, #32\n")
#else
/* A Cortex-M4 waits less for loads side by side. */
#define MCU_LINE_LOADS(taps)      \
    "ldr.w r6, [r1]\n"            \
    "ldr.w r7, [r1, #16]\n"       \
    "ldr.w r8, [r1, #32]\n"       \
    "ldr.w r4, [r0, #" taps "]\n" \
    "ldr.w r5, [r0, #" taps " + 4]\n"
#define MCU_THREE_LINES                                                                                               \
    "ldr.w r12, [r0, #24]\n" MCU_LINE_LOADS("0") MCU_FIRST_LINE("", "add.w r1, r1, r3\n", "", "") MCU_LINE_LOADS("8") \
        MCU_NEXT_LINE("", "add.w r1, r1, r3\n", "", "") MCU_LINE_LOADS("16")                                          \
            MCU_NEXT_LINE("", "sub.w r1, r1, r3, lsl #1\n", "", "add.w r1, r1, #32\n") "ldr.w r4, [r0, #28]\n"        \
                                                                                       "ldr.w r5, [r0, #32]\n"        \
                                                                                       "ldr.w r6, [r0, #36]\n"        \
                                                                                       "ldr.w r7, [r0, #40]\n"
#endif

/* r4 multiplier, r5 addend, r6 shift; r8 is free. */
#define MCU_CLIMB_WINDOW_PLAIN(sum) "smmla " sum ", " sum ", r4, r5\n"
#define MCU_CLIMB_WINDOW_SIGNS(sum)    \
    "ldr.w r8, [r0, #44]\n"            \
    "and.w r8, r8, " sum ", asr #31\n" \
    "add.w r8, r8, r5\n"               \
    "smmla " sum ", " sum ", r4, r8\n"

/* In parts, as strings of C99 have an end; nothing comes between them. */
#define MCU_WINDOW_LINES(name, climb)                                               \
    MCU_ASSEMBLY_LOOP void name(struct mcu_window_lines *p __attribute__((unused))) \
    {                                                                               \
        __asm__ volatile("push {r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"        \
                         "ldr r3, [r0, #64]\n"                                      \
                         "ldr r2, [r0, #60]\n"                                      \
                         "1:\n"                                                     \
                         "ldr.w r1, [r0, #56]\n"                                    \
                         "ldr.w lr, [r0, #48]\n"                                    \
                         ".balign 4\n"                                              \
                         "2:\n");                                                   \
        __asm__ volatile(MCU_THREE_LINES);                                          \
        __asm__ volatile(climb("r9") climb("r10") climb("r11") climb("r12"));       \
        __asm__ volatile("asr.w r9, r9, r6\n"                                       \
                         "asr.w r10, r10, r6\n"                                     \
                         "ssat r9, #8, r9\n"                                        \
                         "asr.w r11, r11, r6\n"                                     \
                         "subs.w lr, lr, #4\n"                                      \
                         "strb.w r9, [r2]\n"                                        \
                         "ssat r10, #8, r10\n"                                      \
                         "asr.w r12, r12, r6\n"                                     \
                         "blt.w 3f\n"                                               \
                         "strb.w r10, [r2, r7]\n"                                   \
                         "add.w r2, r2, r7, lsl #1\n"                               \
                         "ssat r11, #8, r11\n"                                      \
                         "ssat r12, #8, r12\n"                                      \
                         "strb.w r11, [r2]\n"                                       \
                         "strb.w r12, [r2, r7]\n"                                   \
                         "add.w r2, r2, r7, lsl #1\n"                               \
                         "bgt.w 2b\n"                                               \
                         "b 5f\n"                                                   \
                         "3:\n"                                                     \
                         "add.w r2, r2, r7\n"                                       \
                         "adds.w lr, lr, #2\n"                                      \
                         "blt.w 5f\n"                                               \
                         "ssat r11, #8, r11\n"                                      \
                         "strb.w r10, [r2]\n"                                       \
                         "beq.w 4f\n"                                               \
                         "strb.w r11, [r2, r7]\n"                                   \
                         "add.w r2, r2, r7\n"                                       \
                         "4:\n"                                                     \
                         "add.w r2, r2, r7\n");                                     \
        __asm__ volatile("5:\n"                                                     \
                         "ldrd r4, r5, [r0, #52]\n"                                 \
                         "ldrd r6, r7, [r0, #68]\n"                                 \
                         "add.w r5, r5, r7\n"                                       \
                         "subs.w r4, r4, #1\n"                                      \
                         "strd r4, r5, [r0, #52]\n"                                 \
                         "add.w r2, r2, r6\n"                                       \
                         "bgt.w 1b\n"                                               \
                         "str r2, [r0, #60]\n"                                      \
                         "pop {r3, r4, r5, r6, r7, r8, r9, r10, r11, pc}\n");       \
    }

MCU_WINDOW_LINES(mcu_window_lines_plain, MCU_CLIMB_WINDOW_PLAIN)
MCU_WINDOW_LINES(mcu_window_lines_signs, MCU_CLIMB_WINDOW_SIGNS)

#endif

#endif
