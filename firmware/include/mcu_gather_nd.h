#ifndef MCU_GATHER_ND_H
#define MCU_GATHER_ND_H

#include <stdint.h>

#define MCU_GATHER_ND_AXES 8

struct mcu_gather_nd {
    uint32_t count;                         /* slices of the output */
    uint32_t axes;                          /* indices of each of them */
    uint32_t sizes[MCU_GATHER_ND_AXES];     /* of the first `axes` dimensions */
    uint32_t slice_bytes;                   /* product of the dimensions behind them, times the element's size */
};

/* GATHER_ND: slice k is that at `indices`[k]. Indices outside of their dimension give a slice of zero bytes. */
void mcu_gather_nd(void *output, const void *input, const int32_t *indices, const struct mcu_gather_nd *parameters);

#endif
