#include "mcu_copy_strided.h"

#include "mcu_copy.h"

enum { COUNT, DESTINATION_STEP, SOURCE_STEP, ROW };

/* Up to here a loop costs less than calling mcu_copy. */
#define SHORT_RUN_WORDS 8
#define SHORT_RUN_BYTES 8

typedef uint32_t __attribute__((may_alias)) word;

static void copy_runs(uint8_t *destination, const uint8_t *source, const int32_t *loop, uint32_t run_bytes)
{
    const int32_t destination_step = loop[DESTINATION_STEP], source_step = loop[SOURCE_STEP];
    const uint32_t unaligned = ((uint32_t)(uintptr_t)destination | (uint32_t)(uintptr_t)source | run_bytes |
                                (uint32_t)destination_step | (uint32_t)source_step) % sizeof(word);
    int32_t to = 0, from = 0;
    int32_t count = loop[COUNT];
    if (run_bytes == 1) {
        do {
            destination[to] = source[from];
            to += destination_step;
            from += source_step;
        } while (--count != 0);
    } else if (unaligned == 0 && run_bytes <= SHORT_RUN_WORDS * sizeof(word)) {
        do {
            word *target = (word *)(void *)(destination + to);
            const word *origin = (const word *)(const void *)(source + from);
            for (uint32_t left = run_bytes; left != 0; left -= sizeof(word)) {
                *target++ = *origin++;
            }
            to += destination_step;
            from += source_step;
        } while (--count != 0);
    } else if (run_bytes <= SHORT_RUN_BYTES) {
        do {
            for (uint32_t i = 0; i < run_bytes; ++i) {
                destination[to + (int32_t)i] = source[from + (int32_t)i];
            }
            to += destination_step;
            from += source_step;
        } while (--count != 0);
    } else {
        do {
            mcu_copy(destination + to, source + from, run_bytes);
            to += destination_step;
            from += source_step;
        } while (--count != 0);
    }
}

void mcu_copy_strided(void *destination, const void *source, const int32_t *loops, uint32_t rank, uint32_t run_bytes)
{
    const uint32_t inner = rank - 1;
    int32_t left[MCU_COPY_DIMENSIONS];
    uint8_t *to = destination;
    const uint8_t *from = source;
    for (uint32_t outer = 0; outer < inner; ++outer) {
        left[outer] = loops[outer * ROW + COUNT];
    }
    for (;;) {
        copy_runs(to, from, loops + inner * ROW, run_bytes);
        for (uint32_t outer = inner;;) {
            if (outer == 0) {
                return;
            }
            --outer;
            const int32_t *loop = loops + outer * ROW;
            if (--left[outer] != 0) {
                to += loop[DESTINATION_STEP];
                from += loop[SOURCE_STEP];
                break;
            }
            left[outer] = loop[COUNT];
            to -= (loop[COUNT] - 1) * loop[DESTINATION_STEP];
            from -= (loop[COUNT] - 1) * loop[SOURCE_STEP];
        }
    }
}
