#ifndef MCU_SELECT_H
#define MCU_SELECT_H

#include <stdint.h>

/* The most loops, the innermost one included. */
#define MCU_SELECT_LOOPS 6

/* Loops over the output, outermost first: how often, and by how many elements the condition and both operands move. */
struct mcu_select {
    uint32_t element_bytes;
    uint32_t rank;
    struct {
        int32_t count;
        int32_t step[3];
    } loops[MCU_SELECT_LOOPS];
};

/* SELECT and SELECT_V2: an element of `first` where the condition is not 0, else one of `second`. The output is written
 * without gaps. */
void mcu_select(void *output, const uint8_t *condition, const void *first, const void *second,
                const struct mcu_select *parameters);

#endif
