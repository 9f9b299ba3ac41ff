/* The three library functions that firmware may use. Through the builtins, so that a copy of a few bytes becomes loads
 * and stores although the firmware is compiled as freestanding; larger ones call firmware/runtime/memory.c. */
#ifndef MCU_STRING_H
#define MCU_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

#define memcpy(to, from, size) __builtin_memcpy((to), (from), (size))
#define memmove(to, from, size) __builtin_memmove((to), (from), (size))
#define memset(to, value, size) __builtin_memset((to), (value), (size))

#endif
