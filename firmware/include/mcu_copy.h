#ifndef MCU_COPY_H
#define MCU_COPY_H

#include <stddef.h>
#include <stdint.h>

/* Copies `size` bytes; source and destination must not overlap. Fast where both are aligned to 4. */
void mcu_copy(void *destination, const void *source, size_t size);

/* Sets `size` bytes. Fast where the destination is aligned to 4. */
void mcu_fill(void *destination, int8_t value, size_t size);

#endif
