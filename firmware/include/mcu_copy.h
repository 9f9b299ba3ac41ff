#ifndef MCU_COPY_H
#define MCU_COPY_H

#include <stddef.h>

/* Copies `size` bytes; source and destination must not overlap. */
void mcu_copy(void *destination, const void *source, size_t size);

#endif
