#ifndef MCU_COPY_STRIDED_H
#define MCU_COPY_STRIDED_H

#include <stdint.h>

/* The most nested loops that mcu_copy_strided runs. */
#define MCU_COPY_DIMENSIONS 8

/* Copies runs of `run_bytes` (1 or more) between two strided layouts: the one kernel of every operator that only moves
 * data. `loops` has `rank` (1 to MCU_COPY_DIMENSIONS) rows of three, outermost first: how often (1 or more), the step
 * of the destination and the step of the source in bytes. Steps may be 0 or negative; `destination` and `source`
 * are where the first run lies. The two must not overlap.
 */
void mcu_copy_strided(void *destination, const void *source, const int32_t *loops, uint32_t rank, uint32_t run_bytes);

#endif
