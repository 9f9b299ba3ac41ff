#ifndef MCU_GATHER_H
#define MCU_GATHER_H

#include <stdint.h>

struct mcu_gather {
    uint32_t blocks;      /* product of the dimensions before the axis */
    uint32_t count;       /* indices */
    uint32_t size;        /* of the axis */
    uint32_t slice_bytes; /* product of the dimensions behind the axis, times the element's size */
};

/* GATHER and EMBEDDING_LOOKUP: for each block, slice number `indices[k]` for k = 0 .. count - 1. An index outside of the axis
 * gives a slice of zero bytes. */
void mcu_gather(void *output, const void *input, const int32_t *indices, const struct mcu_gather *parameters);

#endif
